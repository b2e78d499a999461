import { isSecretProperty } from '@sallyport/admin-api'
import type { Command } from 'commander'
import { withDestinationClient } from '../stack/destination-clients.ts'
import { createContext } from './context.ts'
import { destinations, notFound } from './edited-collection.ts'
import { issueToken } from './token.ts'

/** `destination find`: as an application looks it up, with the binding of the stack. */
export function addFindCommand(parent: Command): void {
  parent
    .command('find')
    .description('resolve a destination as an application does, tokens included')
    .argument('<name>')
    .option('--user <name>', 'user on whose behalf the application asks')
    .option('--reveal', 'show secrets and tokens')
    .action(async (name: string, options: { readonly user?: string; readonly reveal?: boolean }, command: Command) => {
      const { printer, folder } = createContext(command)
      const userToken =
        options.user === undefined ? {} : { userToken: (await issueToken(folder(), { client: 'xsuaa', user: options.user })).access_token }
      const found = await withDestinationClient(folder(), (client) => client.find(name, userToken))
      if (found === undefined) throw notFound(destinations, name, { level: 'instance or subaccount' })
      const shown: unknown = options.reveal === true ? found : hidden(found)
      printer.result(shown, () => JSON.stringify(shown, null, 2))
      const failed = found.authTokens?.find(({ error }) => error !== undefined && error !== '')
      if (failed !== undefined) printer.note(`warning: the service found the destination and got no token: ${failed.error}`)
    })
}

/** Passwords by their names; tokens, and the files of key stores. */
function hidden(found: unknown): unknown {
  return JSON.parse(
    JSON.stringify(found, (key, value: unknown) =>
      typeof value === 'string' && value !== '' && (isSecretProperty(key) || hiddenMembers.has(key)) ? '(hidden)' : value,
    ),
  )
}

const hiddenMembers: ReadonlySet<string> = new Set(['value', 'refresh_token', 'Content'])
