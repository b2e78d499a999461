import type { ConfigurationProblem } from '@sallyport/admin-api'
import type { Configuration } from './configuration.ts'

type Rule = (configuration: Configuration) => readonly ConfigurationProblem[]

const uniqueSubaccounts: Rule = ({ subaccounts }) =>
  subaccounts.flatMap((entry, at) =>
    subaccounts.findIndex((other) => other.id === entry.id) === at
      ? []
      : [{ path: ['subaccounts', at, 'id'], message: `the subaccount "${entry.id}" stands twice` }],
  )

const uniqueSubdomains: Rule = ({ subaccounts }) => {
  const subdomain = (at: number): string => subaccounts[at]?.subdomain ?? subaccounts[at]?.id.toLowerCase() ?? ''
  return subaccounts.flatMap((_, at) =>
    subaccounts.findIndex((__, other) => subdomain(other) === subdomain(at)) === at
      ? []
      : [{ path: ['subaccounts', at], message: `the subdomain "${subdomain(at)}" stands twice` }],
  )
}

const uniqueUsers: Rule = ({ subaccounts }) =>
  subaccounts.flatMap(({ users }, at) =>
    users.flatMap((user, index) =>
      users.findIndex((other) => other.name === user.name) === index
        ? []
        : [{ path: ['subaccounts', at, 'users', index, 'name'], message: `the user "${user.name}" stands twice` }],
    ),
  )

const namedDestinations: Rule = ({ subaccounts }) =>
  subaccounts.flatMap(({ destinations }, at) =>
    destinations.flatMap((destination, index) => {
      const path = ['subaccounts', at, 'destinations', index]
      const name = destination['Name']
      if (typeof name !== 'string' || name === '') return [{ path, message: 'a destination needs a Name' }]
      const first = destinations.findIndex((other) => other['Name'] === name)
      return first === index ? [] : [{ path: [...path, 'Name'], message: `the destination "${name}" stands twice` }]
    }),
  )

const knownSubaccounts: Rule = ({ subaccounts, connectors }) =>
  connectors.flatMap((connector, at) =>
    connector.subaccount === undefined || subaccounts.length === 0 || subaccounts.some((entry) => entry.id === connector.subaccount)
      ? []
      : [{ path: ['connectors', at, 'subaccount'], message: `there is no subaccount "${connector.subaccount}"` }],
  )

/** Named checks across entries. Each finds all its problems; none changes anything. */
const rules: readonly Rule[] = [uniqueSubaccounts, uniqueSubdomains, uniqueUsers, namedDestinations, knownSubaccounts]

export function checkRules(configuration: Configuration): readonly ConfigurationProblem[] {
  return rules.flatMap((rule) => rule(configuration))
}
