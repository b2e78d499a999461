import { ConnectivityError, createSecret, parseDestination, type RfcDestination, silentLogger, systemClock } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createClassicBinding, type RfcConnection, rfcError, rfcErrorGroup, type RfcStructure } from '../src/index.ts'

/** A module with the surface of node-rfc that is used. It dials by itself, as the SDK does, and speaks the protocol with the binding classic. */
export interface FakeNodeRfc {
  readonly Client: unknown
  /** What each client was made with. */
  readonly created: readonly {
    readonly parameters: Readonly<Record<string, string>>
    readonly options: Readonly<Record<string, unknown>>
  }[]
  /** Methods that were called, in order. */
  readonly calls: readonly string[]
  /** Thrown by the next call or open, in place of what it would do. */
  failure: unknown
  /** Lets `call` of this function wait for ever. */
  stuckFunction: string | undefined
  /** What `open` does besides; it has failed afterwards. */
  onOpen: ((parameters: Readonly<Record<string, string>>) => Promise<void>) | undefined
}

/** Return codes by our groups: the fake speaks as the SDK does. */
const codes: Readonly<Record<string, number>> = {
  COMMUNICATION: 1,
  LOGON: 2,
  SYSTEM_FAILURE: 3,
  ABAP_EXCEPTION: 5,
  FUNCTION_NOT_FOUND: 17,
  CONVERSION: 20,
}

/** Makes a module whose clients reach the gateway at `ashost` and `sysnr`. */
export function createFakeNodeRfc(): FakeNodeRfc {
  const created: { parameters: Readonly<Record<string, string>>; options: Readonly<Record<string, unknown>> }[] = []
  const calls: string[] = []

  class Client {
    private readonly parameters: Readonly<Record<string, string>>
    private connection: RfcConnection | undefined

    constructor(parameters: Readonly<Record<string, string>>, options: Readonly<Record<string, unknown>>) {
      this.parameters = parameters
      created.push({ parameters, options })
    }

    get alive(): boolean {
      return this.connection?.isAlive ?? false
    }

    private async run<T>(name: string, work: () => Promise<T>): Promise<T> {
      calls.push(name)
      const { failure } = module
      module.failure = undefined
      if (failure !== undefined) throw failure
      try {
        return await work()
      } catch (error) {
        throw asLibraryError(error)
      }
    }

    private get opened(): RfcConnection {
      if (this.connection === undefined) throw Object.assign(new Error('RFC connection is closed'), { name: 'nodeRfcError' })
      return this.connection
    }

    open(): Promise<void> {
      return this.run('open', async () => {
        if (module.onOpen !== undefined) {
          await module.onOpen(this.parameters)
          throw rfcError('COMMUNICATION', 'open', { requestSent: false })
        }
        this.connection = await connect(this.parameters)
      })
    }

    async close(): Promise<void> {
      calls.push('close')
      await this.connection?.close()
      this.connection = undefined
    }

    call(
      functionName: string,
      parameters: RfcStructure,
      { notRequested }: { readonly notRequested: readonly string[] },
    ): Promise<RfcStructure> {
      if (functionName === module.stuckFunction) return new Promise(() => calls.push(`call ${functionName}`))
      return this.run(`call ${functionName}`, () =>
        this.opened.call(functionName, parameters, { signal: AbortSignal.timeout(8000), notRequested }),
      )
    }

    ping(): Promise<boolean> {
      return this.run('ping', async () => {
        await this.opened.ping(AbortSignal.timeout(8000))
        return true
      })
    }

    resetServerContext(): Promise<void> {
      return this.run('resetServerContext', () => this.opened.reset(AbortSignal.timeout(8000)))
    }

    async cancel(): Promise<void> {
      calls.push('cancel')
    }
  }

  const module: FakeNodeRfc = { Client, created, calls, failure: undefined, stuckFunction: undefined, onOpen: undefined }
  return module
}

async function connect({
  ashost = '',
  sysnr = '',
  client = '',
  user = '',
  passwd = '',
  lang,
}: Readonly<Record<string, string>>): Promise<RfcConnection> {
  const destination = parseDestination({
    Name: 'SDK',
    Type: 'RFC',
    'jco.client.ashost': ashost,
    'jco.client.sysnr': sysnr,
    'jco.client.client': client,
    ...(lang === undefined ? {} : { 'jco.client.lang': lang }),
  }) as RfcDestination
  const context = {
    dial: createDirectDial(),
    credentials: { kind: 'basic', user, password: createSecret(passwd) } as const,
    signal: AbortSignal.timeout(8000),
    log: silentLogger,
  }
  const prepared = createClassicBinding({ allowPlaintext: true }).prepare({
    destination,
    context,
    clock: systemClock,
    closed: new AbortController().signal,
  })
  return prepared.open(AbortSignal.timeout(8000))
}

function asLibraryError(error: unknown): unknown {
  if (!ConnectivityError.is(error)) return error
  const { key, messageClass, messageType, messageNumber, messageV1 } = error.details
  const group = rfcErrorGroup(error) ?? 'COMMUNICATION'
  const name = group === 'ABAP_EXCEPTION' ? 'ABAPError' : 'RfcLibError'
  const message = error.message.replace(/^[^:]*: (?:[A-Z_]+: )?/, '')
  return { name, code: codes[group], group: 4, codeString: `RFC_${group}`, key, message, abapMsgClass: messageClass ?? '', abapMsgType: messageType ?? '', abapMsgNumber: messageNumber ?? '', abapMsgV1: messageV1 ?? '' } // prettier-ignore
}
