import type { Clock, ConnectivityEvent, Logger } from '@sallyport/core'
import type { Configuration } from '../configuration/configuration.ts'
import { formatProblems, parseConfiguration } from '../configuration/read-configuration.ts'
import { createEventLog, type EventLog } from '../trace/event-log.ts'
import { type ConnectivityProxyPart, startConnectivityProxyPart } from './connectivity-proxy-part.ts'
import { startConnectorPart } from './connector-part.ts'
import type { DataFolder } from './data-folder.ts'
import { chooseDemoPorts, demoConfiguration, prepareDemo, startDemo } from './demo.ts'
import { startDestinationServicePart } from './destination-service-part.ts'
import type { PartContext, PartStatus } from './part.ts'
import { portsWithOffset } from './ports.ts'
import { refuseSecondStart, startStackProcess } from './stack-process.ts'
import { openAuthority } from './local-authority.ts'
import { startTokenServicePart } from './token-service-part.ts'

/** The local stack: every part in this process, each meeting the others on the wire. */
export interface DevStack {
  readonly bindingsFile: string
  readonly configurationFile: string
  /** A propagated destination and a user of the configuration, for the first request. */
  readonly demoRequest: { readonly destination: string; readonly user: string } | undefined
  readonly stopRequested: Promise<void>
  status(): Promise<readonly PartStatus[]>
  /** Waits until every part is ready. `false` when the time is over before. */
  ready(timeoutMs: number): Promise<boolean>
  stop(): void
  close(): Promise<void>
}

const rememberedEvents = 4_096
const readyPollMs = 25

export async function startDevStack(options: {
  readonly folder: DataFolder
  readonly clock: Clock
  readonly log: Logger
  /** `undefined`: the demo. */
  readonly configuration: Configuration | undefined
  readonly portOffset: number
  readonly strict?: boolean
  readonly demo: boolean
  /** A changed configuration was taken over, or not. */
  readonly onConfiguration?: (event: Extract<ConnectivityEvent, { readonly type: 'configuration-read' }>) => void
}): Promise<DevStack> {
  const { folder, clock, log } = options
  // Before anything is written: the running stack watches the demo's configuration.
  await refuseSecondStart(folder, 'dev')
  const file = options.configuration ?? (await demoFile(folder, clock))
  const configuration: Configuration = options.strict === undefined ? file : { ...file, strict: options.strict }
  const remembered = createEventLog(rememberedEvents)
  const events: EventLog = {
    ...remembered,
    emit(event) {
      remembered.emit(event)
      if (event.type === 'configuration-read') options.onConfiguration?.(event)
    },
  }
  const context: PartContext = {
    folder,
    configuration,
    ports: portsWithOffset(options.portOffset),
    clock,
    log,
    events,
    development: true,
    restart: () => log.warn({}, 'stop and start again for the change to take effect'),
  }
  const backends = options.demo ? await startDemo(folder, clock, configuration.demo) : []
  const closeBackends = async (): Promise<void> => {
    await Promise.all(backends.map((backend) => backend.close()))
  }
  const authority = openAuthority(folder, clock, { name: 'ca', commonName: 'Sallyport Local CA' }).certificate
  let proxy: ConnectivityProxyPart | undefined
  try {
    const process = await startStackProcess({
      name: 'dev',
      folder,
      events,
      log,
      now: () => clock.now(),
      starts: [
        () => startTokenServicePart(context),
        () => startDestinationServicePart(context),
        async () => {
          proxy = await startConnectivityProxyPart(context)
          return proxy
        },
        () =>
          startConnectorPart(
            context,
            proxy === undefined
              ? {}
              : {
                  pairing: {
                    authority,
                    apiUrl: proxy.apiUrl,
                    tunnelEndpoint: proxy.tunnelEndpoint,
                    createPairingCode: proxy.createPairingCode,
                  },
                },
          ),
      ],
    })
    return {
      bindingsFile: folder.file('default-env.json'),
      configurationFile: configuration.path,
      demoRequest: demoRequestOf(configuration),
      stopRequested: process.stopRequested,
      stop: () => process.stop(),
      async status() {
        const demo = Object.entries(configuration.demo).filter(([, port]) => options.demo && port !== undefined)
        const parts = await process.status()
        return demo.length === 0
          ? parts
          : [
              ...parts,
              {
                part: 'demo backends',
                ready: true,
                addresses: demo.map(([name, port]) => `${name} :${port}`),
                detail: 'reachable through the connector only by its mappings',
              },
            ]
      },
      async ready(timeoutMs) {
        const deadline = performance.now() + timeoutMs
        while (!(await process.status()).every((part) => part.ready)) {
          if (performance.now() > deadline) return false
          await new Promise((resolve) => setTimeout(resolve, readyPollMs))
        }
        return true
      },
      async close() {
        await process.close()
        await closeBackends()
      },
    }
  } catch (error) {
    await closeBackends()
    throw error
  }
}

async function demoFile(folder: DataFolder, clock: Clock): Promise<Configuration> {
  prepareDemo(folder, clock)
  const text = demoConfiguration(await chooseDemoPorts())
  folder.write(['demo.yaml'], text)
  const path = folder.file('demo.yaml')
  const result = parseConfiguration(text, path)
  if ('configuration' in result) return result.configuration
  throw new Error(formatProblems(path, result.problems))
}

function demoRequestOf({ subaccounts }: Configuration): DevStack['demoRequest'] {
  const subaccount = subaccounts[0]
  const destination = subaccount?.destinations.find(
    (entry) => entry['Authentication'] === 'PrincipalPropagation' && entry['Type'] === 'HTTP',
  )?.['Name']
  const user = subaccount?.users[0]?.name
  return typeof destination === 'string' && user !== undefined ? { destination, user } : undefined
}
