import {
  COLLECTION_STYLE,
  constructFromEvents,
  CORE_SCHEMA,
  defineMappingTag,
  type Event,
  EVENT_ID,
  parseEvents,
  SCALAR_STYLE,
  type Schema,
} from 'js-yaml'
import { maxPlainYamlDepth } from '../limits.ts'

/**
 * The value of a text in the YAML that people write: one mapping in blocks, with lists, braces, quotes, texts of several lines and comments. It is parsed in a
 * fraction of the time and memory that places need.
 *
 * `undefined` for everything else, and whatever is wrong: the other parser, which knows places, reads that and says so. Nothing that the two read differently,
 * and nothing that the other one refuses, may pass here; generated texts hold the one against the other.
 */
export function tryParsePlainYaml(text: string): Readonly<Record<string, unknown>> | undefined {
  if (leftToOthers.some((pattern) => pattern.test(text)) || goesOnAfterFlushComment(text)) return undefined
  try {
    const events = parseEvents(text, { maxDepth: maxPlainYamlDepth })
    if (!isBlockMapping(events[1]) || !events.every((event) => isPlain(event, text))) return undefined
    const [value, ...others] = constructFromEvents(events, { source: text, schema: textKeysOnly })
    return others.length === 0 ? (value as Record<string, unknown>) : undefined
  } catch {
    // Not YAML, nested too deeply, or a key twice; the other parser says which, and where.
    return undefined
  }
}

/** What the two parsers see differently, as far as characters show it, and a little more. One by one: together they would take ten times as long. */
const leftToOthers: readonly RegExp[] = [
  // Directives, ends of documents, and beginnings that are indented.
  /^ *(?:%|\.\.\.)|^ +---/m,
  // Tabs, breaks of lines that only some versions know, marks of the byte order, and what may stand in quotes at most.
  /[^\n\r\x20-\x7E\xA0-\u2027\u202A-\uFEFE\uFF00-\uFFFD]/,
  /\r(?!\n)/,
  // Texts of several lines that say how far they are indented, or keep the empty lines behind them.
  /[|>][-+]?[+1-9]/,
  // Lines that go on with what belongs to the end of the last one.
  /^ *[:,]/m,
  // Keys that are announced, and may be anything.
  /^[ -]*\?(?:\s|$)|[,[{]\s*\?(?:\s|$)/m,
  // Breaks of lines that do not count.
  /\\\r?$/m,
  // Numbers that may be larger than there are.
  /[\d.][eE][-+]?\d{3}|\d{300}/,
]

/**
 * Whether, after a comment at the first column, braces go on with an end or a comma, or a key or an item of a list gets its value. YAML allows both, the other parser refuses some of
 * it. Only a look at all lines in turn tells.
 */
function goesOnAfterFlushComment(text: string): boolean {
  let [open, flush] = [false, false]
  for (const line of text.split('\n')) {
    const first = line.trimStart().charAt(0)
    if (first === '') continue
    if (first === '#') {
      flush ||= line.startsWith('#')
      continue
    }
    if (flush && (open || first === '}' || first === ']' || first === ',')) return true
    open = /(?::|(?:^| )-)\s*(?:#.*)?$/.test(line.trimEnd())
    flush = false
  }
  return false
}

/** Keys that are no texts (`1: a`, `~: b`) become texts in more than one way, and `__proto__` is no place to put anything. */
const textKeysOnly: Schema = CORE_SCHEMA.withTags(
  defineMappingTag<Record<string, unknown>>('tag:yaml.org,2002:map', {
    create: () => ({}),
    addPair(mapping, key, value) {
      if (typeof key !== 'string' || key === '__proto__') return 'not a plain key'
      mapping[key] = value
      return ''
    },
    has: (mapping, key) => typeof key === 'string' && Object.hasOwn(mapping, key),
    keys: Object.keys,
    get: (mapping, key) => mapping[String(key)],
    identify: () => false,
  }),
)

function isBlockMapping(event: Event | undefined): boolean {
  return event?.type === EVENT_ID.MAPPING && event.style === COLLECTION_STYLE.BLOCK
}

/** Without tag, anchor and alias, and where a node may begin. */
function isPlain(event: Event, text: string): boolean {
  switch (event.type) {
    case EVENT_ID.DOCUMENT:
    case EVENT_ID.POP:
      return true
    case EVENT_ID.ALIAS:
      return false
    case EVENT_ID.SCALAR:
      return isUnmarked(event) && beginsAfterIndicator(text, startOfScalar(event))
    default:
      return isUnmarked(event) && beginsAfterIndicator(text, event.start)
  }
}

function isUnmarked({ tagStart, anchorStart }: { readonly tagStart: number; readonly anchorStart: number }): boolean {
  return tagStart === absent && anchorStart === absent
}

const absent = -1

/** Where a scalar begins, with its quote; {@link absent} for what is empty, and for texts of several lines, which begin after their `|` or `>`. */
function startOfScalar({ style, valueStart }: Extract<Event, { type: typeof EVENT_ID.SCALAR }>): number {
  switch (style) {
    case SCALAR_STYLE.PLAIN:
      return valueStart
    case SCALAR_STYLE.SINGLE_QUOTED:
    case SCALAR_STYLE.DOUBLE_QUOTED:
      return valueStart - 1
    default:
      return absent
  }
}

/** The quick parser takes `- {} key: 1` for the key of a mapping further out. So a node has to be the first of its line but for dashes, or to follow `:`, `,` or a bracket. */
function beginsAfterIndicator(text: string, start: number): boolean {
  let at = start - 1
  while (at >= 0 && ' -'.includes(text.charAt(at))) at -= 1
  return at < 0 || '\n:,[{'.includes(text.charAt(at))
}
