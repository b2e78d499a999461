import { spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { ConnectivityError, systemClock } from '@sallyport/core'
import type { Command } from 'commander'
import { askControl, findRunning } from '../control/control-client.ts'
import { exitCodes, usageError } from '../output/exit-code.ts'
import { firstLine } from '../output/first-line.ts'
import type { Printer } from '../output/printer.ts'
import type { DataFolder } from '../stack/data-folder.ts'
import type { DevStack } from '../stack/dev-stack.ts'
import type { PartStatus } from '../stack/part.ts'
import { claimEphemeral, emptyEphemeral } from '../stack/ephemeral.ts'
import { refuseSecondStart, waitUntilReady } from '../stack/stack-process.ts'
import { traceRequest } from '../trace/traced-request.ts'
import { version } from '../version.ts'
import { findConfigurationFile } from './config.ts'
import { createContext } from './context.ts'
import { printAnswer } from './curl.ts'
import { issueToken } from './token.ts'

interface DevOptions {
  readonly detach?: boolean
  readonly wait?: string
  readonly ephemeral?: boolean
  readonly config?: string
  readonly portOffset: string
  readonly strict?: boolean
  readonly lenient?: boolean
  readonly demo: boolean
  readonly demoRequest?: boolean
  readonly once?: boolean
  readonly logLevel: string
}

const defaultWaitMs = 30_000
const demoPath = '/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner?$top=1'

/** `dev`: the whole chain in one process, with demo backends unless told otherwise. */
export function addDevCommand(program: Command): void {
  program
    .command('dev')
    .description('run token service, destination service, connectivity proxy, connector and demo backends')
    .option('--detach', 'run in the background; returns when everything is ready')
    .option('--wait <time>', 'how long to wait for readiness, such as 30s (exit 3 afterwards)')
    .option('--ephemeral', 'start with empty data and keep nothing')
    .option('--config <file>', 'configuration file (default: sallyport.yaml, else the built-in demo)')
    .option('--port-offset <n>', 'move every port by this much', '0')
    .option('--strict', 'refuse mixed connections to the proxy as the original does (default)')
    .option('--lenient', 'open a new logical connection instead of refusing')
    .option('--no-demo', 'start no demo backend')
    .option('--demo-request', 'send one propagated request and show every hop')
    .option('--once', 'with the demo request: exit when it is answered, 0 on success')
    .option('--log-level <level>', 'debug, info, warn or error, in the log file of the data folder', 'info')
    .action(async (options: DevOptions, command: Command) => {
      const { printer, folder, workingFolder } = createContext(command)
      if (options.strict === true && options.lenient === true) throw usageError('--strict and --lenient exclude each other')
      if (options.once === true && options.detach === true) throw usageError('--once and --detach exclude each other')
      const waitMs = options.wait === undefined ? defaultWaitMs : parseDuration(options.wait)
      if (options.detach === true) {
        if (options.ephemeral === true) claimEphemeral(folder())
        await detach(folder(), printer, waitMs)
        return
      }
      if (options.ephemeral === true) claimEphemeral(folder())
      const { openFileLog } = await import('../output/logger.ts')
      using log = openFileLog(folder().file('log', 'dev.log'), options.logLevel)
      const { requireConfiguration } = await import('../configuration/read-configuration.ts')
      const file = findConfigurationFile(workingFolder, options.config)
      // The services are loaded only where they run: every other command starts in a fraction of the time.
      const { startDevStack } = await import('../stack/dev-stack.ts')
      const stack = await startDevStack({
        folder: folder(),
        clock: systemClock,
        log: log.logger,
        configuration: file === undefined ? undefined : requireConfiguration(file),
        portOffset: parseOffset(options.portOffset),
        ...(options.lenient === true ? { strict: false } : options.strict === true ? { strict: true } : {}),
        demo: options.demo,
        onConfiguration: ({ source, problem }) =>
          printer.line(
            problem === undefined
              ? `  ${printer.good('✔')} ${source} was read again: its connectors are taken over, anything else needs a restart`
              : `  ${printer.bad('✖')} ${firstLine(problem)}; the configuration before stays`,
          ),
      })
      try {
        if (!(await stack.ready(waitMs))) {
          throw notReadyError(await stack.status(), waitMs, folder().file('log', 'dev.log'))
        }
        if (!printer.json || options.once !== true) await printScreen(printer, stack, folder())
        if (options.demoRequest === true || options.once === true) process.exitCode = await demoRequest(printer, stack, folder())
        if (options.once !== true) {
          process.exitCode = exitCodes.ok
          await untilStopped(stack, printer)
        }
      } finally {
        await stack.close()
        if (options.ephemeral === true) emptyEphemeral(folder())
      }
    })
}

/** Names the parts that are not ready, and why. */
function notReadyError(parts: readonly PartStatus[], waitMs: number, logFile: string): ConnectivityError {
  const waiting = parts.filter((part) => !part.ready).map((part) => `${part.part}: ${part.detail}`)
  return new ConnectivityError(
    'DEADLINE_EXCEEDED',
    `not ready after ${waitMs / 1000} s${waiting.length === 0 ? '' : ` (${waiting.join('; ')})`}; the log is ${logFile}`,
    { details: { notReady: true } },
  )
}

async function printScreen(printer: Printer, stack: DevStack, folder: DataFolder): Promise<void> {
  const parts = await stack.status()
  if (printer.json) {
    printer.result({ version, data: folder.path, bindings: stack.bindingsFile, parts }, () => '')
    return
  }
  const { line, good, dim, bold } = printer
  line()
  line(`  ${bold('Sallyport')} - local connectivity                    ${dim(`v${version} · data in ${folder.path}`)}`)
  line()
  line('  your app ──▶ destination service ──▶ connectivity proxy ──▶ tunnel ──▶ connector ──▶ backend')
  line()
  for (const part of parts)
    line(
      `  ${part.ready ? good('✔') : printer.bad('✖')} ${part.part.padEnd(22)} ${part.addresses.join('  ').padEnd(34)} ${dim(part.detail)}`,
    )
  line()
  line(`  Configuration ${stack.configurationFile}`)
  line(`  Bindings written to ${stack.bindingsFile} (0600)`)
  line(`  Authority of the certificates ${folder.file('ca.crt')} ${dim('(NODE_EXTRA_CA_CERTS; "exec" sets it)')}`)
  line()
  line('  Next:  sallyport exec -- cds watch')
  if (stack.demoRequest !== undefined)
    line(`         sallyport curl ${stack.demoRequest.destination} '${demoPath}' --user ${stack.demoRequest.user}`)
  line(`         ${dim('also: status · destination list · token issue · connector status · doctor · stop')}`)
  line()
}

/** One request as Jane through every hop. The exit code says whether it succeeded. */
async function demoRequest(printer: Printer, stack: DevStack, folder: DataFolder): Promise<number> {
  const [destination, user] = [stack.demoRequest?.destination, stack.demoRequest?.user]
  if (destination === undefined || user === undefined)
    throw usageError('the configuration has no HTTP destination with principal propagation and no user to send the demo request with')
  printer.line(`  ${printer.bold(`GET ${destination} ${demoPath}`)}  as ${user}`)
  const answer = await traceRequest(folder, {
    destination,
    path: demoPath,
    method: 'GET',
    headers: {},
    user,
    issueUserToken: async (name) => (await issueToken(folder, { client: 'xsuaa', user: name })).access_token,
  })
  printAnswer(printer, answer)
  printer.line()
  return answer.ok ? exitCodes.ok : exitCodes.failed
}

async function untilStopped(stack: DevStack, printer: Printer): Promise<void> {
  printer.line(`  ${printer.dim('running; ctrl-c stops')}`)
  const onSignal = (): void => {
    // The second signal does not wait for anybody.
    process.once('SIGINT', () => process.exit(exitCodes.failed))
    stack.stop()
  }
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  await stack.stopRequested
}

/** Starts the same command in the background and waits until it is ready. */
async function detach(folder: DataFolder, printer: Printer, waitMs: number): Promise<void> {
  await refuseSecondStart(folder, 'dev')
  const output = folder.file('log', 'dev.out')
  const handle = openSync(output, 'w', 0o600)
  const args = process.argv.slice(1).filter((word) => word !== '--detach')
  const child = spawn(process.execPath, [...process.execArgv, ...args], { detached: true, stdio: ['ignore', handle, handle] })
  let alive = true
  child.once('exit', () => {
    alive = false
  })
  child.unref()
  if (printer.json || !process.stderr.isTTY) printer.note(`starting, at most ${waitMs / 1000} s`)
  else printer.note('starting …')
  if (await waitUntilReady(folder, { timeoutMs: waitMs, alive: () => alive })) {
    const record = await findRunning(folder)
    const status = record === undefined ? { parts: [] } : await askControl<{ parts: readonly unknown[] }>(record, 'status')
    printer.result(
      { ready: true, pid: child.pid, data: folder.path, ...status },
      () => `Running in the background (pid ${child.pid ?? 0}); sallyport stop ends it.`,
    )
    return
  }
  if (alive && child.pid !== undefined) {
    const record = await findRunning(folder)
    const { parts } = record === undefined ? { parts: [] } : await askControl<{ parts: readonly PartStatus[] }>(record, 'status')
    process.kill(child.pid, 'SIGTERM')
    throw notReadyError(parts, waitMs, folder.file('log', 'dev.log'))
  }
  const said = readFileSync(output, 'utf8').trim().split('\n').slice(-15).join('\n')
  printer.error(new ConnectivityError('SERVICE_UNAVAILABLE', `not ready because it ended${said === '' ? '' : `; it said:\n${said}`}`))
  process.exitCode = exitCodes.failed
}

/** `500ms`, `30s`, `2m` or a number of seconds. */
function parseDuration(text: string): number {
  const match = /^(\d{1,6})(ms|s|m)?$/.exec(text)
  if (match === null) throw usageError(`"${text}" is not a time such as 30s`)
  return Number(match[1]) * { ms: 1, s: 1_000, m: 60_000 }[match[2] ?? 's']!
}

/** A whole number, also negative. */
export function parseOffset(text: string): number {
  if (!/^-?\d{1,5}$/.test(text)) throw usageError(`--port-offset takes a number, not "${text}"`)
  return Number(text)
}
