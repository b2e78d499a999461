import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import type { IncomingMessage } from 'node:http'

/** What a page load ended with, after all redirects. */
export interface Page {
  readonly status: number
  readonly url: URL
  readonly text: string
  readonly headers: IncomingMessage['headers']
  /** Every address on the way here, the first one included. */
  readonly visited: readonly URL[]
}

/** A browser without script: keeps cookies per host name and path, follows redirects, fills in forms. */
export interface Browser {
  open(url: string): Promise<Page>
  /** Sends the first form of a page with its hidden fields and these. */
  submit(page: Page, fields: Readonly<Record<string, string>>): Promise<Page>
}

interface Cookie {
  readonly value: string
  readonly host: string
  readonly path: string
  readonly secure: boolean
}

const maxRedirects = 20

export function createBrowser({ authority }: { readonly authority: string }): Browser {
  const ca = readFileSync(authority, 'utf8')
  const jar = new Map<string, Cookie>()

  const cookiesFor = (url: URL): string =>
    [...jar]
      .filter(([, cookie]) => cookie.host === url.hostname && url.pathname.startsWith(cookie.path))
      // Browsers take http://localhost for a secure context.
      .filter(([, cookie]) => !cookie.secure || url.protocol === 'https:' || url.hostname === 'localhost')
      .map(([key, { value }]) => `${key.split(' ')[0]}=${value}`)
      .join('; ')

  const keep = (url: URL, lines: readonly string[]): void => {
    for (const line of lines) {
      const [, name = '', value = '', attributes = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(line) ?? []
      const path = /;\s*path=([^;]*)/i.exec(attributes)?.[1] ?? '/'
      const key = `${name} ${url.hostname} ${path}`
      const gone = /;\s*max-age=0/i.test(attributes) || /;\s*expires=[^;]*\b1970\b/i.test(attributes)
      if (gone) jar.delete(key)
      else jar.set(key, { value, host: url.hostname, path, secure: /;\s*secure/i.test(attributes) })
    }
  }

  const send = async (method: string, url: URL, body: string | undefined): Promise<Page> => {
    const cookie = cookiesFor(url)
    const headers = {
      accept: 'text/html,application/xhtml+xml',
      // Application routers protect a log-on with a state only where a browser asks.
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0',
      ...(cookie === '' ? {} : { cookie }),
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body), origin: url.origin }),
    }
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { method, headers, agent: false, signal: AbortSignal.timeout(20_000) }
      const request = url.protocol === 'https:' ? httpsRequest(url, { ...options, ca }, resolve) : httpRequest(url, options, resolve)
      request.once('error', reject)
      request.end(body)
    })
    keep(url, answer.headers['set-cookie'] ?? [])
    return { status: answer.statusCode ?? 0, url, text: await text(answer), headers: answer.headers, visited: [url] }
  }

  const follow = async (first: Page): Promise<Page> => {
    let page = first
    const visited = [...first.visited]
    while (page.status >= 300 && page.status < 400 && page.headers.location !== undefined) {
      if (visited.length > maxRedirects) throw new Error(`no end of redirects: ${visited.map(String).join(' -> ')}`)
      // oxlint-disable-next-line no-await-in-loop -- one redirect leads to the next
      page = await send('GET', new URL(page.headers.location, page.url), undefined)
      visited.push(page.url)
    }
    return { ...page, visited }
  }

  return {
    open: async (url) => follow(await send('GET', new URL(url), undefined)),
    async submit(page, fields) {
      const action = /<form method="post" action="([^"]*)"/.exec(page.text)?.[1]
      if (action === undefined) throw new Error(`no form on ${page.url.href} (${page.status}): ${page.text.slice(0, 500)}`)
      const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
      const form = new URLSearchParams(hidden.map(([, name = '', value = '']): [string, string] => [name, unescapeHtml(value)]))
      for (const [name, value] of Object.entries(fields)) form.set(name, value)
      return follow(await send('POST', new URL(unescapeHtml(action), page.url), form.toString()))
    },
  }
}

function unescapeHtml(html: string): string {
  return html.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))).replaceAll('&amp;', '&')
}
