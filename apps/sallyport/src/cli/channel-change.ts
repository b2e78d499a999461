import { channelTypes, defaultChannelHost, localPortOf, type ServiceChannelEntry } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { Argument, type Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import { administering, requireAdministered } from './administering.ts'
import type { Administration } from '../connector-client/administration.ts'
import { chooseSubaccount, fullName, type ListedSubaccount, listSubaccounts, type SubaccountOption } from './chosen-subaccount.ts'
import { channelPath, findChannel, listChannels, type ShownChannel, targetOf } from './shown-channel.ts'

interface AddOptions extends SubaccountOption {
  readonly port?: string
  readonly instance?: string
  readonly service?: string
  readonly name?: string
  readonly connections?: string
  readonly comment?: string
  readonly listen?: string
  readonly enable?: boolean
}

/** `add`, `remove`, `enable` and `disable`. */
export function addChannelChangeCommands(leaf: (name: string) => Command): void {
  leaf('add')
    .description('a channel, which is disabled until it is enabled')
    .addArgument(new Argument('<type>', 'kind of service').choices([...channelTypes]))
    .argument('<target>', 'tenant host of ABAP, <cluster>/<service> of Kubernetes, instance name of HANA, or endpoint of a machine')
    .option('--port <port>', 'port of this machine: for K8S and VirtualMachine')
    .option('--instance <NN>', 'instance number, which says the port: for ABAPCloud, ABAPCloudSNC and HANA')
    .option('--service <id>', 'service of the cluster, where it is not part of the target')
    .option('--name <text>', 'how a machine is called (default: its endpoint)')
    .option('--connections <count>', 'physical connections that are reserved for it')
    .option('--comment <text>', 'what it is for')
    .option('--listen <host>', 'address of the machine of the connector that the port is opened on')
    .option('--enable', 'open its port now')
    .action(async (type: ShownChannel['type'], target: string, options: AddOptions, command: Command) => {
      const body = channelOf(type, target, options)
      await administering(command, async (administration, printer) => {
        requireAdministered(administration, 'the channels of its connector', [{ type, ...body }])
        const key = await chooseSubaccount(administration, options.subaccount)
        const before = new Set((await listChannels(administration, key)).map(({ id }) => id))
        await administration
          .send('POST', channelPath(key, type), body)
          .catch((error: unknown) => explainPort(administration, type, body, error))
        // Others may add channels at the same time.
        const added = (await listChannels(administration, key)).findLast(
          (channel) => channel.type === type && !before.has(channel.id) && isOf(channel, target, options),
        )
        if (added === undefined)
          throw new ConnectivityError('NOT_FOUND', 'the channel was added, and is not among the channels now', {
            details: { next: 'sallyport channel list' },
          })
        const { id } = added
        if (options.enable === true) await enableChannel(administration, key, added, `channel ${id} was added and is disabled: `)
        printer.result({ id, type, subaccount: key.subaccount, outcome: 'added', enabled: options.enable === true }, () =>
          options.enable === true
            ? `Channel ${id} added; port ${added.port} leads to ${target}.`
            : `Channel ${id} added. Next: sallyport channel enable ${id}`,
        )
      })
    })

  for (const [name, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const)
    leaf(name)
      .description(enabled ? 'open the port of a channel' : 'close the port of a channel, and cut its clients off')
      .argument('<id>', 'number of the channel, see list')
      .action(async (id: string, options: SubaccountOption, command: Command) => {
        await administering(command, async (administration, printer) => {
          const key = await chooseSubaccount(administration, options.subaccount)
          const { port, type } = await findChannel(administration, key, id)
          requireAdministered(administration, `the channel ${id}`, { enabled })
          if (enabled) await enableChannel(administration, key, { id, type })
          else await setState(administration, key, { id, type }, false)
          printer.result(
            { id: Number(id), type, subaccount: key.subaccount, outcome: `${name}d` },
            () => `Channel ${id} ${name}d; its port is ${port}.`,
          )
        })
      })

  leaf('remove')
    .description('take a channel away, and cut its clients off')
    .argument('<id>', 'number of the channel, see list')
    .action(async (id: string, options: SubaccountOption, command: Command) => {
      await administering(command, async (administration, printer) => {
        const key = await chooseSubaccount(administration, options.subaccount)
        const { type } = await findChannel(administration, key, id)
        requireAdministered(administration, 'the channels of its connector', undefined)
        await administration.send('DELETE', `${channelPath(key, type)}/${id}`)
        printer.result({ id: Number(id), type, subaccount: key.subaccount, outcome: 'removed' }, () => `Channel ${id} removed.`)
      })
    })
}

/** Where another channel has the port, the error says which commands show and move that one. */
async function explainPort(
  administration: Administration,
  type: ShownChannel['type'],
  body: Readonly<Record<string, unknown>>,
  error: unknown,
): Promise<never> {
  if (!ConnectivityError.is(error, 'MESSAGE_INVALID')) throw error
  const { host = defaultChannelHost } = body
  const port = localPortOf({ type, ...body } as unknown as ServiceChannelEntry)
  for (const key of await listSubaccounts(administration)) {
    const owner = (await listChannels(administration, key)).find((channel) => channel.port === port && channel.host === host)
    if (owner === undefined) continue
    const next = `choose another port; sallyport channel list shows that one, and sallyport channel remove ${owner.id} --subaccount ${fullName(key)} takes it away`
    throw new ConnectivityError(error.code, error.message, { cause: error, details: { next } })
  }
  throw error
}

type ChannelName = Pick<ShownChannel, 'type'> & { readonly id: number | string }

async function setState(administration: Administration, key: ListedSubaccount, { id, type }: ChannelName, enabled: boolean): Promise<void> {
  await administration.send('PUT', `${channelPath(key, type)}/${id}/state`, { enabled })
}

/** @throws ConnectivityError `SERVICE_UNAVAILABLE`, which ends with exit code 3, when its port cannot be opened or leads nowhere; `before` is what was done already. */
async function enableChannel(administration: Administration, key: ListedSubaccount, channel: ChannelName, before = ''): Promise<void> {
  try {
    await setState(administration, key, channel, true)
  } catch (error) {
    if (!ConnectivityError.is(error, 'SERVICE_UNAVAILABLE')) throw error
    // A master whose shadow is away makes the change and says that nobody else has it.
    if ((await findChannel(administration, key, String(channel.id))).enabled) throw error
    throw new ConnectivityError(error.code, `${before}${error.message}`, {
      cause: error,
      details: { notReady: true, next: `mend what it says, then: sallyport channel enable ${channel.id}` },
    })
  }
}

/** Whether a channel leads where one was asked to, from the port that was asked for. */
function isOf(channel: ShownChannel & { readonly instanceNumber?: number }, target: string, options: AddOptions): boolean {
  const wanted = options.service === undefined ? target : `${target}/${options.service}`
  const isSame = (given: string | undefined, shown: number | undefined): boolean =>
    given === undefined || shown === undefined || Number(given) === shown
  return (
    targetOf(channel).toLowerCase() === wanted.trim().toLowerCase() &&
    isSame(options.port, channel.port) &&
    isSame(options.instance, channel.instanceNumber)
  )
}

function channelOf(type: ShownChannel['type'], target: string, options: AddOptions): Readonly<Record<string, unknown>> {
  const { comment, connections, instance, listen, name, port, service } = options
  const shared = {
    ...(connections === undefined ? {} : { connections: wholeNumber('--connections', connections) }),
    ...(comment === undefined ? {} : { comment }),
    ...(listen === undefined ? {} : { host: listen }),
  }
  const needs = <T>(option: string, value: T | undefined): T => {
    if (value === undefined) throw usageError(`a channel of type ${type} needs ${option}`)
    return value
  }
  const instanceNumber = (): number => wholeNumber('--instance', needs('--instance <NN>', instance))
  const ownPort = (): number => wholeNumber('--port', needs('--port <port>', port))
  switch (type) {
    case 'ABAPCloud':
    case 'ABAPCloudSNC':
      return { abapCloudTenantHost: target, instanceNumber: instanceNumber(), ...shared }
    case 'K8S':
      return { k8sCluster: target, ...(service === undefined ? {} : { k8sService: service }), port: ownPort(), ...shared }
    case 'HANA':
      return { hanaInstanceName: target, instanceNumber: instanceNumber(), ...shared }
    case 'VirtualMachine':
      return { endpointId: target, name: name ?? target, port: ownPort(), ...shared }
  }
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw usageError(`${option} takes a number, not "${text}"`)
  return Number(text)
}
