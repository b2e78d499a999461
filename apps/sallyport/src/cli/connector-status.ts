import type { Command } from 'commander'
import { exitCodes } from '../output/exit-code.ts'
import { firstLine } from '../output/first-line.ts'
import { formatTable } from '../output/printer.ts'
import { readConnectorReports } from './connector-reports.ts'
import { createContext } from './context.ts'

/** `connector status`. Exit 3 when a tunnel is not open. */
export function addConnectorStatusCommand(connector: Command): void {
  connector
    .command('status')
    .description('on premise: tunnels and why they are not open, certificates, mappings, configuration')
    .action(async (_options: unknown, command: Command) => {
      const { printer, folder } = createContext(command)
      const reports = await readConnectorReports(folder())
      printer.result({ connectors: reports }, () => {
        if (reports.length === 0) return withoutSubaccount
        const table = formatTable(
          ['SUBACCOUNT', 'LOCATION', 'TUNNEL', 'SINCE', 'MAPPINGS', 'CERTIFICATE UNTIL', 'CONFIGURATION'],
          reports.map((report) => [
            report.subaccount,
            `"${report.locationId}"`,
            report.tunnel,
            report.connectedSince,
            String(report.mappings),
            report.certificateUntil,
            firstLine(report.configuration),
          ]),
        )
        const problems = reports.flatMap(({ locationId, next, problem, subaccount, tunnel }) =>
          tunnel === 'ready' || problem === undefined || problem === tunnel
            ? []
            : [
                `${printer.bad('✖')} ${subaccount}, location "${locationId}": ${problem}`,
                ...(next === undefined ? [] : [`  ${printer.dim('next')} ${next}`]),
              ],
        )
        const withoutTickets = reports.flatMap(({ kerberosProblem, locationId, subaccount }) =>
          kerberosProblem === undefined
            ? []
            : [`${printer.bad('✖')} ${subaccount}, location "${locationId}": no user gets a ticket: ${kerberosProblem}`],
        )
        problems.push(...withoutTickets)
        return problems.length === 0 ? table : [table, '', ...problems].join('\n')
      })
      if (!reports.every((report) => report.tunnel === 'ready')) process.exitCode = exitCodes.notReady
    })
}

/** Fresh installations of administered connectors are no error. */
const withoutSubaccount = [
  'The connector runs, is administered, and has no subaccount yet.',
  'Next: sallyport connector change-role master, where it has no role yet;',
  '      sallyport connector subaccount add --authentication-data <file>, with what "connector code --authentication-data" writes on the cloud side',
].join('\n')
