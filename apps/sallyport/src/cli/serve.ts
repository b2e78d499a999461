import { ConnectivityError, systemClock } from '@sallyport/core'
import type { Command } from 'commander'
import { requireConfiguration } from '../configuration/read-configuration.ts'
import { exitCodes, usageError } from '../output/exit-code.ts'
import { openStdoutLog } from '../output/logger.ts'
import { startConnectivityProxyPart } from '../stack/connectivity-proxy-part.ts'
import { startConnectorPart } from '../stack/connector-part.ts'
import { startDestinationServicePart } from '../stack/destination-service-part.ts'
import { type PartContext, type Role, roles, type RunningPart } from '../stack/part.ts'
import { portsWithOffset } from '../stack/ports.ts'
import { startStackProcess } from '../stack/stack-process.ts'
import { startTokenServicePart } from '../stack/token-service-part.ts'
import { createEventLog } from '../trace/event-log.ts'
import { findConfigurationFile } from './config.ts'
import { createContext } from './context.ts'
import { parseOffset } from './dev.ts'

interface ServeOptions {
  readonly config?: string
  readonly portOffset: string
  readonly logLevel: string
}

const starts: Readonly<Record<Role, (context: PartContext) => Promise<RunningPart>>> = {
  'token-service': startTokenServicePart,
  'destination-service': startDestinationServicePart,
  'connectivity-proxy': startConnectivityProxyPart,
  connector: (context) => startConnectorPart(context),
}

/** `serve <roles>`: one process for any subset of the parts, for production. Logs JSON lines to standard output. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('run parts as a server')
    .argument('<roles>', `${roles.join(', ')}; several with commas`)
    .option('--config <file>', 'configuration file (default: sallyport.yaml)')
    .option('--port-offset <n>', 'move every port that the configuration does not set', '0')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (words: string, options: ServeOptions, command: Command) => {
      const { folder, workingFolder } = createContext(command)
      const wanted = parseRoles(words)
      const file = findConfigurationFile(workingFolder, options.config)
      if (file === undefined)
        throw new ConnectivityError('CONFIGURATION_INVALID', 'there is no sallyport.yaml here', {
          details: { next: 'name one with --config; sallyport config schema describes it' },
        })
      const { logger } = openStdoutLog(options.logLevel)
      const context: PartContext = {
        folder: folder(),
        configuration: requireConfiguration(file),
        ports: portsWithOffset(parseOffset(options.portOffset)),
        clock: systemClock,
        log: logger,
        events: createEventLog(rememberedEvents),
      }
      const stack = await startStackProcess({
        name: wanted.join('+'),
        folder: context.folder,
        events: context.events,
        log: logger,
        now: () => systemClock.now(),
        starts: wanted.map((role) => () => starts[role](context)),
      })
      logger.info({ roles: wanted, configuration: context.configuration.path }, 'serving')
      process.once('SIGTERM', () => stack.stop())
      process.once('SIGINT', () => {
        process.once('SIGINT', () => process.exit(exitCodes.failed))
        stack.stop()
      })
      await stack.stopRequested
      await stack.close()
      logger.info({ roles: wanted }, 'stopped')
    })
}

const rememberedEvents = 4_096

/** Known roles in the order in which they depend on each other, each once. */
function parseRoles(words: string): readonly Role[] {
  const given = words.split(',').map((word) => word.trim())
  const unknown = given.filter((word) => !roles.some((role) => role === word))
  if (unknown.length > 0) throw usageError(`unknown role ${unknown.map((word) => `"${word}"`).join(', ')}; there are ${roles.join(', ')}`)
  return roles.filter((role) => given.includes(role))
}
