import { randomBytes } from 'node:crypto'
import type { VerifyAdministrator } from '@sallyport/cloud-connector'
import type { Authenticate } from '@sallyport/connector-administration'
import { type Clock, ConnectivityError } from '@sallyport/core'
import { createPasswordHasher } from '@sallyport/token-service'
import type { DataFolder } from './data-folder.ts'
import { createLogOnLock } from './log-on-lock.ts'

const fileName = 'administrator.json'
const user = 'Administrator'

/**
 * The one local administrator of the connector. Its password is random, kept as a hash, and written once to a file for its owner. Passwords are hashed beside
 * the event loop, a few at a time; five wrong ones lock the user for five minutes, for the address that they came from.
 */
export async function openAdministrator(options: {
  readonly folder: DataFolder
  readonly clock: Clock
}): Promise<{ readonly verify: VerifyAdministrator; readonly authenticate: Authenticate }> {
  const { clock, folder } = options
  const hasher = createPasswordHasher({ random: randomBytes })
  if (folder.read('connector', fileName) === undefined) {
    const password = randomBytes(12).toString('base64url')
    const text = JSON.stringify({ user, password: await hasher.hash(password) })
    folder.write(['connector', 'initial-password'], `${password}\n`)
    folder.write(['connector', fileName], `${text}\n`)
  }
  const stored = storedPassword(folder)
  const lock = createLogOnLock(clock)
  const verify: VerifyAdministrator = async (name, password, address) => {
    const attempt = JSON.stringify([name, address])
    if (lock.isLocked(attempt)) return undefined
    if (await hasher.verify(password, name === user ? stored : undefined)) {
      lock.succeeded(attempt)
      return { role: user }
    }
    lock.failed(attempt)
    return undefined
  }
  return {
    verify,
    async authenticate(request, reply) {
      const encoded = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(request.headers.authorization ?? '')?.[1]
      const [, name = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? []
      if ((await verify(name, password, request.ip)) !== undefined) return { user: name, role: 'sccadmin', initialPassword: false }
      await reply
        .code(401)
        .header('www-authenticate', 'Basic realm="cloud connector", charset="UTF-8"')
        .send({ type: 'UNAUTHORIZED', message: 'user and password are needed' })
      return undefined
    },
  }
}

function storedPassword(folder: DataFolder): string {
  try {
    const { password } = JSON.parse(folder.read('connector', fileName) ?? '') as { readonly password?: unknown }
    if (typeof password === 'string') return password
  } catch {
    // Not JSON: said below, like JSON of another form.
  }
  throw new ConnectivityError(
    'CONFIGURATION_INVALID',
    `${folder.file('connector', fileName)} holds no administrator; remove it to have a new password made`,
  )
}
