import { createServer } from 'node:net'
import { createNiConnection, type NiConnection } from '@sallyport/conformance/backends'
import type { Address } from '@sallyport/core'
import {
  anonymousName,
  formatLogonGroupReply,
  formatMessageServerMessage,
  isRefused,
  messageFlags,
  messageInterfaces,
  messageServerName,
  parseLogonGroupRequest,
  parseMessageServerMessage,
} from '@sallyport/rfc-wire'
import { createOpenStreams } from './open-streams.ts'
import { listen } from './socket-network.ts'

/** How a fixture message server is set up. */
export interface MessageServerOptions {
  /** Application servers of each logon group; they take turns. The gateway of one listens 100 above its dispatcher. */
  readonly groups: Readonly<Record<string, readonly { readonly host: string; readonly dispatcherPort: number }[]>>
  /** Answers every login with this error. */
  readonly loginError?: number
  /** Answers a look-up with these bytes, or with nothing at all. */
  readonly groupAnswer?: Buffer | 'silence' | 'close'
}

/** A message server for tests, on a loopback port. */
export interface MessageServer extends AsyncDisposable {
  readonly address: Address
  /** Groups that were asked for, in order. */
  readonly lookups: readonly string[]
  /** Clients that have said goodbye. */
  readonly logouts: number
  idle(): Promise<void>
}

/** Starts a message server: login, look-up of logon groups, logout, as protocols.md 11.4 has them. */
export async function createMessageServer(options: MessageServerOptions): Promise<MessageServer> {
  const lookups: string[] = []
  let logouts = 0
  const open = createOpenStreams()

  async function serve(ni: NiConnection): Promise<void> {
    let loggedIn = false
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one message after the other
      const payload = await ni.take()
      const message = payload === undefined ? undefined : parseMessageServerMessage(payload)
      if (payload === undefined || message === undefined || isRefused(message)) return
      if (message.interfaceFlag === messageInterfaces.login2) {
        // oxlint-disable-next-line no-await-in-loop -- in their order
        await ni.send(loginAnswer(options.loginError ?? 0))
        if (options.loginError !== undefined) return
        loggedIn = true
      } else if (message.interfaceFlag === messageInterfaces.logout) {
        logouts += 1
        return
      } else {
        const request = parseLogonGroupRequest(payload)
        if (!loggedIn || isRefused(request)) return
        lookups.push(request.group)
        if (options.groupAnswer === 'close') return
        // oxlint-disable-next-line no-await-in-loop -- in their order
        if (options.groupAnswer !== 'silence') await ni.send(options.groupAnswer ?? groupAnswer(request.group))
      }
    }
  }

  function groupAnswer(group: string): Buffer {
    const servers = options.groups[group] ?? []
    const turn = lookups.filter((each) => each === group).length - 1
    const server = servers[turn % servers.length]
    return formatLogonGroupReply(server === undefined ? { known: false, group, status: 1 } : { known: true, group, ...server })
  }

  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket)
    const ni = createNiConnection(socket)
    serve(ni)
      .then(() => ni.end())
      .catch(() => socket.destroy())
  })
  const address = await listen(server)
  return {
    address,
    lookups,
    get logouts() {
      return logouts
    },
    idle: open.idle,
    async [Symbol.asyncDispose]() {
      server.close()
      open.destroyAll()
      await open.idle()
    },
  }
}

function loginAnswer(errorNumber: number): Buffer {
  return formatMessageServerMessage({
    errorNumber,
    toName: anonymousName,
    fromName: messageServerName,
    flag: messageFlags.reply,
    interfaceFlag: messageInterfaces.login2,
    body: Buffer.alloc(0),
  })
}
