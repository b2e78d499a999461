import { resolve } from 'node:path'
import type { Command } from 'commander'
import { exitCodes, usageError } from '../output/exit-code.ts'
import type { Printer } from '../output/printer.ts'
import { openDataFolder } from '../stack/data-folder.ts'
import { formatHops } from '../trace/hop-view.ts'
import { type TracedAnswer, traceRequest } from '../trace/traced-request.ts'
import { createContext } from './context.ts'
import { issueToken } from './token.ts'

interface CurlOptions {
  readonly user?: string
  readonly request?: string
  readonly header: readonly string[]
  readonly body?: string
  readonly trace?: string
  readonly connector?: string
}

/** `curl <destination> <path>`: one request as an application would make it, every hop explained. */
export function addCurlCommand(program: Command): void {
  program
    .command('curl')
    .description('send one request to a destination and explain every hop')
    .argument('<destination>', 'name of a destination of type HTTP')
    .argument('[path]', 'path and query below the URL of the destination', '/')
    .option('--user <name>', 'user on whose behalf the application calls')
    .option('-X, --request <method>', 'method (default: GET, with --body POST)')
    .option(
      '-H, --header <line>',
      'header "Name: value"; may be repeated',
      (line: string, lines: readonly string[]) => [...lines, line],
      [],
    )
    .option('-d, --body <text>', 'request body')
    .option('--trace <form>', 'json: the hops as JSON')
    .option('--connector <folder>', 'data folder of a connector on this machine that has another one, so that its hops are shown')
    .action(async (destination: string, path: string, options: CurlOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      if (options.trace !== undefined && options.trace !== 'json') throw usageError(`--trace takes json, not "${options.trace}"`)
      const answer = await traceRequest(folder(), {
        destination,
        path,
        method: options.request ?? (options.body === undefined ? 'GET' : 'POST'),
        headers: parseHeaders(options.header),
        ...(options.body === undefined ? {} : { body: options.body }),
        ...(options.user === undefined ? {} : { user: options.user }),
        ...(options.connector === undefined ? {} : { folders: [openDataFolder(resolve(options.connector))] }),
        issueUserToken: async (user) => (await issueToken(folder(), { client: 'xsuaa', user })).access_token,
      })
      printAnswer(printer, answer, options.trace === 'json')
      process.exitCode = exitCodeOfAnswer(answer)
    })
}

/** Shows the hops, then the body. */
export function printAnswer(printer: Printer, answer: TracedAnswer, asJson = false): void {
  if (printer.json || asJson) {
    process.stdout.write(
      `${JSON.stringify({ ok: answer.ok, ...errorOf(answer), status: answer.status, correlationId: answer.correlationId, hops: answer.hops, headers: answer.headers, body: answer.body.toString('utf8') }, null, 2)}\n`,
    )
    return
  }
  printer.line(formatHops(answer.hops, printer))
  if (answer.status !== undefined)
    printer.line(
      answer.failed === undefined ? '' : `${' '.repeat(19)}the app sees: ${answer.status} ${answer.body.toString('utf8').trim()}`,
    )
  if (answer.failed === undefined) process.stdout.write(`${answer.body.toString('utf8').trimEnd()}\n`)
}

/** What failed, in the form that every command has for errors. */
function errorOf({ ok, failed, status }: TracedAnswer): { readonly error?: { readonly code: string; readonly message: string } } {
  if (ok) return {}
  if (failed !== undefined)
    return { error: { code: failed.code ?? 'UNEXPECTED', message: `${failed.name}: ${failed.lines[0] ?? 'failed'}` } }
  return { error: { code: 'BACKEND_STATUS', message: `the backend answered ${status}` } }
}

function exitCodeOfAnswer(answer: TracedAnswer): number {
  if (answer.ok) return exitCodes.ok
  const refused = answer.failed?.name === 'access' || answer.failed?.name === 'principal' || answer.status === 407
  return refused ? exitCodes.refused : exitCodes.failed
}

function parseHeaders(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      if (colon < 1) throw usageError(`"${line}" is not a header; write "Name: value"`)
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
    }),
  )
}
