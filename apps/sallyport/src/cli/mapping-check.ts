import type { Command } from 'commander'
import { exitCodes } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { administering } from './administering.ts'
import { chooseSubaccounts, type SubaccountOption } from './chosen-subaccount.ts'
import { mappingPath, noSuchMapping, type ShownMapping } from './shown-mapping.ts'

interface Availability {
  readonly state: 'Reachable' | 'Unreachable' | 'NotChecked'
  readonly detail: string
  readonly code?: string
}

/** `mapping check [virtual]`: one after the other, because each dials a system of somebody else. Exit 1 when one cannot be reached. */
export function addMappingCheckCommand(command: Command): void {
  command
    .argument('[virtual]', 'host:port that the cloud uses (default: all mappings)')
    .action(async (virtual: string | undefined, options: SubaccountOption, called: Command) => {
      await administering(called, async (administration, printer) => {
        const checked: (Availability & {
          readonly subaccount: string
          readonly virtual: string
          readonly internal: string
          readonly next?: string
        })[] = []
        for (const key of await chooseSubaccounts(administration, options.subaccount)) {
          const mappings = await administration.get<readonly ShownMapping[]>(mappingPath(key))
          for (const { localHost, localPort, protocol, virtualHost, virtualPort } of mappings) {
            const name = `${virtualHost}:${virtualPort}`
            if (virtual !== undefined && virtual.toLowerCase() !== name.toLowerCase()) continue
            const result = await administration.send<Availability>('POST', `${mappingPath(key, name, 'private')}/availability`)
            checked.push({
              subaccount: key.subaccount,
              virtual: name,
              internal: `${protocol.toLowerCase()}://${localHost}:${localPort}`,
              ...result,
              ...(result.code === 'BACKEND_UNTRUSTED' ? { next: howToTrust } : {}),
            })
          }
        }
        if (virtual !== undefined && checked.length === 0) throw noSuchMapping(virtual)
        printer.result({ checked }, () =>
          checked.length === 0
            ? 'There is nothing to check: no mapping is configured.'
            : [
                formatTable(
                  ['SUBACCOUNT', 'VIRTUAL', 'INTERNAL', 'STATE', 'DETAIL'],
                  checked.map(({ detail, internal, state, subaccount, virtual: name }) => [subaccount, name, internal, state, detail]),
                ),
                ...(checked.some(({ next }) => next !== undefined) ? [`Next: ${howToTrust}`] : []),
              ].join('\n'),
        )
        if (checked.some(({ state }) => state === 'Unreachable')) process.exitCode = exitCodes.failed
      })
    })
}

const howToTrust = 'trust the certificate of the back end, or of its authority: sallyport connector backend-trust add <file>'
