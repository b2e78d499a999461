import { maxJsonPathCharacters, maxJsonPathNodes } from '../../limits.ts'

/**
 * Selects values by the part of JSONPath (RFC 9535) that names places: members (`.name`, `['name']`), elements (`[0]`, `[-1]`) and all of them (`.*`, `[*]`).
 * The spelling `.['name']` of older libraries counts, too. Filters, slices, functions and descent are not understood, so that no path costs more than its
 * length. `undefined` for a text that is no such path.
 */
export function selectByPath(value: unknown, path: string): readonly unknown[] | undefined {
  if (path.length > maxJsonPathCharacters || !path.startsWith('$')) return undefined
  let nodes: readonly unknown[] = [value]
  let rest = path.slice(1)
  while (rest !== '') {
    const step = stepPattern.exec(rest)
    if (step === null) return undefined
    rest = rest.slice(step[0].length)
    nodes = nodes.flatMap((node) => select(node, step.groups ?? {})).slice(0, maxJsonPathNodes)
  }
  return nodes
}

/** One step: a name after a dot, or brackets with a quoted name, an index or an asterisk. */
const stepPattern =
  /^(?:\.(?<bare>[^\s.[\]'"*]+)|\.?\['(?<single>(?:[^'\\]|\\.)*)'\]|\.?\["(?<double>(?:[^"\\]|\\.)*)"\]|\[(?<index>-?\d{1,9})\]|(?<all>\.\*|\.?\[\*\]))/

function select(node: unknown, step: Readonly<Record<string, string | undefined>>): readonly unknown[] {
  if (typeof node !== 'object' || node === null) return []
  if (step['all'] !== undefined) return Object.values(node) as unknown[]
  if (step['index'] !== undefined) {
    const element: unknown = Array.isArray(node) ? node.at(Number(step['index'])) : undefined
    return element === undefined ? [] : [element]
  }
  if (Array.isArray(node)) return []
  const name = (step['bare'] ?? step['single'] ?? step['double'] ?? '').replaceAll(/\\(.)/g, '$1')
  return Object.hasOwn(node, name) ? [(node as Readonly<Record<string, unknown>>)[name]] : []
}
