import { ConnectivityError, systemClock } from '@sallyport/core'
import type { Command } from 'commander'
import { exitCodes, usageError } from '../output/exit-code.ts'
import type { DataFolder } from '../stack/data-folder.ts'
import { type PartContext, type Role, roles, type RunningPart } from '../stack/part.ts'
import { portsWithOffset } from '../stack/ports.ts'
import { startStackProcess } from '../stack/stack-process.ts'
import { openServiceManager } from '../systemd/service-manager.ts'
import { serviceOf } from '../systemd/state-owner.ts'
import { readHeapSettings } from '../stack/start-options.ts'
import { createEventLog } from '../trace/event-log.ts'
import { findConfigurationFile, noConfiguration } from './config.ts'
import { createContext } from './context.ts'
import { parseOffset } from './dev.ts'
import { ensureServerHeap } from './server-heap.ts'

interface ServeOptions {
  readonly config?: string
  readonly portOffset: string
  readonly logLevel: string
  readonly database?: string
  readonly databasePasswordFile?: string
  readonly compatDefaultPassword?: boolean
}

/** Each role is loaded only where it runs: a connector's machine needs no token service in memory. */
const starts: Readonly<Record<Role, (context: PartContext, options: ServeOptions) => Promise<RunningPart>>> = {
  'token-service': async (context) => (await import('../stack/token-service-part.ts')).startTokenServicePart(context),
  'destination-service': async (context) => (await import('../stack/destination-service-part.ts')).startDestinationServicePart(context),
  'connectivity-proxy': async (context) => (await import('../stack/connectivity-proxy-part.ts')).startConnectivityProxyPart(context),
  connector: async (context, { compatDefaultPassword = false }) =>
    (await import('../stack/connector-part.ts')).startConnectorPart(context, { compatDefaultPassword }),
}

/** `serve <roles>`: one process for any subset of the parts, for production. Logs JSON lines to standard output. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('run parts as a server')
    .argument('<roles>', `${roles.join(', ')}; several with commas`)
    .option('--config <file>', 'configuration file (default: sallyport.yaml)')
    .option('--port-offset <n>', 'move every port that the configuration does not set', '0')
    .option('--database <url>', 'PostgreSQL database instead of the one of the configuration: postgresql://user@host:port/database')
    .option('--database-password-file <file>', 'file with the password of that user')
    .option('--compat-default-password', 'connector: begin with the password of the original, for tests; loopback only')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (words: string, options: ServeOptions, command: Command) => {
      const { folder, workingFolder } = createContext(command)
      const wanted = parseRoles(words)
      requireNoService(folder())
      ensureServerHeap(wanted.includes('connector') ? readHeapSettings(folder()) : {})
      const file = findConfigurationFile(workingFolder, options.config)
      // A connector alone needs none: it is administered then.
      if (file === undefined && wanted.some((role) => role !== 'connector'))
        throw noConfiguration('name one with --config; sallyport config schema describes it')
      const { emptyConfiguration, requireConfiguration } = await import('../configuration/read-configuration.ts')
      const { withDatabase } = await import('../configuration/with-database.ts')
      const { openStdoutLog } = await import('../output/logger.ts')
      const { logger } = openStdoutLog(options.logLevel)
      let restarting = false
      let stop = (): void => {}
      const context: PartContext = {
        folder: folder(),
        configuration: withDatabase(file === undefined ? emptyConfiguration(workingFolder) : requireConfiguration(file), {
          url: options.database,
          passwordFile: options.databasePasswordFile,
        }),
        ports: portsWithOffset(parseOffset(options.portOffset)),
        clock: systemClock,
        log: logger,
        events: createEventLog(rememberedEvents),
        development: false,
        restart() {
          restarting = true
          setTimeout(stop, answerMs)
        },
      }
      const stack = await startStackProcess({
        name: wanted.join('+'),
        folder: context.folder,
        events: context.events,
        log: logger,
        now: () => systemClock.now(),
        starts: wanted.map((role) => () => starts[role](context, options)),
      })
      stop = stack.stop
      const manager = openServiceManager({ environment: process.env, clock: systemClock, log: logger })
      const authority = context.folder.file('ca.crt')
      logger.info({ roles: wanted, configuration: file, nodeExtraCaCerts: authority }, 'serving')
      process.once('SIGTERM', () => stack.stop())
      process.once('SIGINT', () => {
        process.once('SIGINT', () => process.exit(exitCodes.failed))
        stack.stop()
      })
      await manager.ready()
      await stack.stopRequested
      await manager.stopping()
      await stack.close()
      if (restarting) process.exitCode = exitCodes.restart
      logger.info({ roles: wanted, restarting }, 'stopped')
    })
}

const rememberedEvents = 4_096

/** An answer that asks for a new start is on its way by then. */
const answerMs = 200

/** What root served from the folder of a service, the service could not read afterwards. */
function requireNoService(folder: DataFolder): void {
  const service = serviceOf(folder)
  if (service === undefined) return
  throw new ConnectivityError(
    'CONFIGURATION_INVALID',
    `${folder.path} belongs to the service ${service}, which root does not stand in for`,
    {
      details: { next: `systemctl start ${service}` },
    },
  )
}

/** Known roles in the order in which they depend on each other, each once. */
function parseRoles(words: string): readonly Role[] {
  const given = words.split(',').map((word) => word.trim())
  const unknown = given.filter((word) => !roles.some((role) => role === word))
  if (unknown.length > 0) throw usageError(`unknown role ${unknown.map((word) => `"${word}"`).join(', ')}; there are ${roles.join(', ')}`)
  return roles.filter((role) => given.includes(role))
}
