import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'

/** One recorded call of a go-vcr cassette; `path` is without the address. */
export interface RecordedCall {
  readonly method: string
  readonly path: string
  readonly accept: string | undefined
  /** Parsed JSON; `undefined` for none. */
  readonly sent: any
  readonly status: number
  readonly answer: any
}

const cassetteSchema = z.object({
  interactions: z
    .array(
      z.object({
        request: z.object({ method: z.string(), url: z.url(), body: z.string(), headers: z.record(z.string(), z.array(z.string())) }),
        response: z.object({ code: z.number(), body: z.string() }),
      }),
    )
    .nullish(),
})

/** Reads a cassette of go-vcr, version 2, with some words replaced by others. Bodies that are not JSON are left out. */
export function readCassette(file: string, words: Readonly<Record<string, string>>): readonly RecordedCall[] {
  const text = Object.entries(words).reduce((before, [word, other]) => before.replaceAll(word, other), readFileSync(file, 'utf8'))
  const { interactions } = cassetteSchema.parse(parse(text))
  return (interactions ?? []).map(({ request, response }) => ({
    method: request.method,
    path: new URL(request.url).pathname,
    accept: request.headers['Accept']?.[0],
    sent: tryParse(request.body),
    status: response.code,
    answer: tryParse(response.body),
  }))
}

/**
 * Differences between a recorded answer and ours: members that only one of them has, other types, other values. Of members in `free` only the type counts,
 * as of everything below `_links`.
 */
export function differencesOf(recorded: any, ours: any, free: ReadonlySet<string>, at = ''): readonly string[] {
  const kinds = [kindOf(recorded), kindOf(ours)]
  if (kinds[0] !== kinds[1]) return [`${at || 'the answer'} is ${kinds[1]}, not ${kinds[0]}`]
  if (Array.isArray(recorded)) {
    if (recorded.length !== ours.length) return [`${at || 'the answer'} has ${ours.length} entries, not ${recorded.length}`]
    return recorded.flatMap((each, index) => differencesOf(each, ours[index], free, `${at}[${index}]`))
  }
  if (kinds[0] === 'an object') {
    const names = new Set([...Object.keys(recorded), ...Object.keys(ours)])
    return [...names].flatMap((name) => {
      const path = `${at}.${name}`
      if (!(name in ours)) return [`${path} is missing`]
      if (!(name in recorded)) return [`${path} is more than was recorded`]
      return differencesOf(recorded[name], ours[name], free, path)
    })
  }
  const isFree = free.has(at.slice(at.lastIndexOf('.') + 1)) || at.includes('._links')
  return isFree || recorded === ours ? [] : [`${at || 'the answer'} is ${JSON.stringify(ours)}, not ${JSON.stringify(recorded)}`]
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
