import { z } from 'zod'
import { closestName } from './closest-name.ts'
import { ruleOf } from './value-rule.ts'

/** Something wrong in a configuration, at a path such as `['connectors', 0, 'mappings', 2, 'virtual']`. */
export interface ConfigurationProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** `connectors[0].mappings[2].virtual` */
export function formatProblemPath(path: readonly (string | number)[]): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`)).join('')
}

/** A schema, for those who pass one on without using the schema library themselves. */
export type ConfigurationSchema<Value> = z.ZodType<Value>

/**
 * Checks a value against a schema and reports every problem at once. An unknown key is a problem of its own, with the known key that
 * is spelled most alike.
 */
export function checkConfiguration<Value>(
  schema: z.ZodType<Value>,
  input: unknown,
): { readonly value: Value } | { readonly problems: readonly ConfigurationProblem[] } {
  const result = schema.safeParse(input, { error: ruleOf })
  if (result.success) return { value: result.data }
  return { problems: result.error.issues.flatMap((issue) => problemsOf(issue, schema)) }
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodType): readonly ConfigurationProblem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol')
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, path)
    return issue.keys.map((key) => {
      const suggestion = closestName(key, known)
      const help = suggestion === undefined ? `; known are ${known.join(', ')}` : `; did you mean "${suggestion}"?`
      return { path: [...path, key], message: `unknown key "${key}"${known.length === 0 ? '' : help}` }
    })
  }
  if (issue.code === 'invalid_union') {
    // Of several forms, the one that came furthest tells most: a wrong type at the top only says that another form was meant.
    const deepest = issue.errors.filter((issues) => issues.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'))[0]
    if (deepest !== undefined) {
      return deepest.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, schema))
    }
  }
  return [{ path, message: issue.message }]
}

interface JsonSchemaNode {
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>
  readonly items?: JsonSchemaNode
  readonly anyOf?: readonly JsonSchemaNode[]
  readonly additionalProperties?: JsonSchemaNode | boolean
}

function knownKeys(schema: z.ZodType, path: readonly (string | number)[]): readonly string[] {
  const start = z.toJSONSchema(schema, { io: 'input', reused: 'inline', unrepresentable: 'any' }) as JsonSchemaNode
  let nodes: readonly JsonSchemaNode[] = [start]
  for (const part of path) {
    nodes = nodes.flatMap(alternatives).flatMap((node) => {
      const next =
        typeof part === 'number'
          ? node.items
          : (node.properties?.[part] ?? (typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined))
      return next === undefined ? [] : [next]
    })
  }
  return nodes.flatMap(alternatives).flatMap((node) => Object.keys(node.properties ?? {}))
}

function alternatives(node: JsonSchemaNode): readonly JsonSchemaNode[] {
  return node.anyOf === undefined ? [node] : node.anyOf.flatMap(alternatives)
}
