import { maxLoginInformationLength } from '../limits.ts'

/** Elements that change how a text looks and nothing else (cloud-connector.md §1.18); `br` has no end. */
const elements = new Set(['a', 'b', 'br', 'h1', 'h2', 'h3', 'i', 'li', 'ol', 'p', 'ul'])
const alignment = /^style="text-align:\s?(?:left|right|center|justify|start|end);?"$/

/**
 * Why a text must not stand on the log-on page; `undefined` when it may. Only well-formed HTML of few elements is let through, without attributes but the
 * alignment of a paragraph and the address of a link, so that nobody who may administer can run scripts in the pages of others, or make a page look like a form that asks for passwords.
 */
export function checkLoginHtml(html: string): string | undefined {
  if (html.length > maxLoginInformationLength) return `has to have at most ${maxLoginInformationLength} characters`
  if (/[^\P{Cc}\n\r\t]/u.test(html)) return 'has a control character'
  const open: string[] = []
  let rest = html
  while (rest !== '') {
    const text = /^[^<>&]+/.exec(rest) ?? /^&(?:amp|lt|gt|quot|nbsp|#39);/.exec(rest)
    if (text !== null) {
      rest = rest.slice(text[0].length)
      continue
    }
    const tag = /^<(\/?)([A-Za-z][A-Za-z0-9]*)((?:\s[^<>]*?)?)(\/?)>/.exec(rest)
    if (tag === null) return `is not well-formed at "${rest.slice(0, 20)}"; write < as &lt; and & as &amp;`
    const [whole, slash, name = '', attributes = '', end] = tag
    const element = name.toLowerCase()
    if (!elements.has(element)) return `has the element ${name}, which is not allowed; there are ${[...elements].join(', ')}`
    if (end === '/' && (slash === '/' || element !== 'br')) return `is not well-formed at "${whole.slice(0, 20)}"`
    if (slash === '/') {
      if (attributes.trim() !== '') return `has an end of ${name} with attributes`
      if (open.pop() !== element) return `has an end of ${name} where there is no beginning of it`
    } else {
      const problem = attributeProblem(element, attributes)
      if (problem !== undefined) return problem
      if (element !== 'br') open.push(element)
    }
    rest = rest.slice(whole.length)
  }
  return open.length === 0 ? undefined : `has no end of ${open.at(-1)}`
}

function attributeProblem(element: string, attributes: string): string | undefined {
  const written = attributes.trim()
  if (element === 'a') return linkProblem(written)
  if (written === '' || (element === 'p' && alignment.test(written))) return undefined
  return `has attributes of ${element}, which are not allowed: ${written}`
}

function linkProblem(written: string): string | undefined {
  const href = (/^href="([^"]*)"\s+target="_blank"$/.exec(written) ?? /^target="_blank"\s+href="([^"]*)"$/.exec(written))?.[1]
  if (href === undefined) return `has attributes of a that are not allowed; they are href="…" and target="_blank": ${written}`
  const protocol = /&(?!amp;)/.test(href) ? undefined : URL.parse(href.replaceAll('&amp;', '&'))?.protocol
  return protocol === 'https:' || protocol === 'http:' ? undefined : `has a link to something else than http and https: ${href}`
}
