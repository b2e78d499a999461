import { Composer, CST, Lexer, Parser, stringify } from 'yaml'
import { malformed } from '../http/answer.ts'
import { maxExchangedEntities, maxYamlDepth, maxYamlKeys, maxYamlLexemes } from '../limits.ts'
import { recordsOf } from './file-records.ts'
import type { FileRecord } from './removed-secret.ts'

/**
 * Reads one YAML mapping with properties, or a sequence of such. Every scalar is a text as it stands: `sysnr: 00` is two digits.
 *
 * The library composes values recursively and compares every key with every other, so what is deeper, longer or larger than flat lists of properties is
 * refused before it gets that far.
 *
 * @throws ConnectivityError `MESSAGE_INVALID`.
 */
export function parseYamlFile(text: string): readonly FileRecord[] {
  refuseUnusual(text)
  const tokens = [...new Parser().parse(text)]
  for (const token of tokens) refuseDeep(token)
  const documents = [...new Composer({ schema: 'failsafe', logLevel: 'silent' }).compose(tokens, true, text.length)]
  const [document] = documents
  if (document === undefined || documents.length > 1) throw malformed('The file must hold one YAML document')
  const [error] = document.errors
  if (error !== undefined) throw malformed(`The file is not valid YAML (line ${text.slice(0, error.pos[0]).split('\n').length})`)
  return recordsOf(document.toJS({ maxAliasCount: 0 }))
}

/** Writes one YAML mapping; texts that any version of YAML would read as numbers, truth values or dates are quoted. */
export function formatYamlFile(properties: Iterable<readonly [string, string]>): string {
  return stringify(Object.fromEntries(properties), { lineWidth: 0, version: '1.1' })
}

const tooComplex = 'The YAML file is more complex than a list of properties'

/** Counts lexemes, and what opens a level without a line of its own. */
function refuseUnusual(text: string): void {
  let [lexemes, openInLine, openFlows] = [0, 0, 0]
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1
    switch (CST.tokenType(lexeme)) {
      case 'newline':
        openInLine = 0
        break
      case 'seq-item-ind':
      case 'explicit-key-ind':
        openInLine += 1
        break
      case 'flow-map-start':
      case 'flow-seq-start':
        openFlows += 1
        break
      case 'flow-map-end':
      case 'flow-seq-end':
        openFlows -= 1
        break
      case 'alias':
        throw malformed(tooComplex)
      default:
    }
    if (lexemes > maxYamlLexemes || openInLine > maxYamlDepth || openFlows > maxYamlDepth) throw malformed(tooComplex)
  }
}

/** Goes down no further than it has to, so its own recursion is bounded too. */
function refuseDeep(token: CST.Token | null | undefined, depth: number = 0): void {
  if (token === null || token === undefined) return
  if (depth > maxYamlDepth) throw malformed(tooComplex)
  if (token.type === 'document') return refuseDeep(token.value, depth)
  if (!('items' in token)) return
  if (token.items.length > (token.type === 'block-seq' ? maxExchangedEntities : 2 * maxYamlKeys)) throw malformed(tooComplex)
  for (const item of token.items) {
    refuseDeep(item.key, depth + 1)
    refuseDeep(item.value, depth + 1)
  }
}
