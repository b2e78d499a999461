import { globSync } from 'node:fs'
import { read, root } from './workspace.ts'

/** One limit or default, as its `limits.ts` states it. */
interface Limit {
  readonly name: string
  readonly value: string
  readonly reason: string
}

/** What people write stands above this line, what the sources say below it. */
const boundary = '<!-- Below this line the page is made by "npx -y pnpm@12 limits". -->\n'

/** The text of docs/limits.md as the sources say it now. */
export function limitsDocument(): string {
  const sections = globSync(['packages/*/src/limits.ts', 'apps/*/src/**/limits.ts'], { cwd: root })
    .toSorted()
    .map((file) => {
      const limits = limitsIn(read(file))
      const rows = limits.map((limit) => `| \`${limit.name}\` | ${limit.value === '' ? '' : `\`${limit.value}\``} | ${limit.reason} |`)
      return limits.length === 0
        ? ''
        : `\n## ${file.split('/')[1] ?? ''}\n\n| limit | value | why, and what happens beyond |\n|---|---|---|\n${rows.join('\n')}\n`
    })
  const written = read('docs/limits.md').split(boundary)[0] ?? ''
  return written + boundary + sections.join('')
}

function limitsIn(source: string): readonly Limit[] {
  const limits: Limit[] = []
  const defaults = new Map<string, string>()
  for (const match of source.matchAll(/^ {2}(\w+): ([^,{\n]+(?:\{[^}]*\})?),$/gm)) defaults.set(match[1] ?? '', (match[2] ?? '').trim())
  let reason = ''
  for (const match of source.matchAll(
    /\/\*\*([\s\S]*?)\*\/|^export const (\w+)(?:: [^=]+)? = ([^\n]+)$|^ {2}readonly (\w+)\??: [^\n]+$|^\n/gm,
  )) {
    const [whole, comment, constant, value, member] = match
    if (comment !== undefined) {
      reason = comment
        .replaceAll(/\n\s*\*/g, ' ')
        .replaceAll(/\{@link (\w+)\}/g, '`$1`')
        .replaceAll('|', '\\|')
        .replaceAll(/\s+/g, ' ')
        .trim()
    } else if (constant !== undefined && value !== undefined) {
      if (value !== '{' && !value.startsWith('Object.freeze({'))
        limits.push({ name: constant, value: value.replace(/ as const$/, ''), reason })
    } else if (member !== undefined) {
      limits.push({ name: member, value: defaults.get(member) ?? '', reason })
    } else if (whole === '\n') {
      reason = ''
    }
  }
  return limits.filter((limit) => limit.reason !== '')
}
