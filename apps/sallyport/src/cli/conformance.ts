import { resolve } from 'node:path'
import type { CaseResult } from '@sallyport/conformance/cases'
import { ConnectivityError, systemClock } from '@sallyport/core'
import type { Command } from 'commander'
import type { SuiteName } from '../conformance/suites.ts'
import { exitCodes, usageError } from '../output/exit-code.ts'
import type { Printer } from '../output/printer.ts'
import { createContext } from './context.ts'

interface ConformanceOptions {
  readonly target: string
  readonly only?: string
  readonly case?: string
  readonly report?: string
}

/** `conformance --target FILE`: holds any implementation to what applications expect. Exit 0 all passed, 1 failures, 2 usage. */
export function addConformanceCommand(program: Command): void {
  program
    .command('conformance')
    .description('hold an implementation to the conformance suites, ours or another one')
    .requiredOption('--target <file>', 'target file, YAML or JSON: bindings, and what its connector leads to this machine')
    .option('--only <suites>', 'suites, separated by commas: services, dial, http, socks5, rfc, adapters (default: all)')
    .option('--case <text>', 'only cases whose title or checklist line contains this')
    .option('--report <file>', 'write the report as well: .md, .json, or .xml for JUnit')
    .action(async (options: ConformanceOptions, command: Command) => {
      const { printer, workingFolder, environment } = createContext(command)
      const { isReportFile, reportDocument, writeReport } = await import('../conformance/report-file.ts')
      const { formatReport, formatSummary, summarise } = await import('../conformance/report.ts')
      const suites = await chooseSuites(options.only)
      if (options.report !== undefined && !isReportFile(options.report))
        throw usageError(`--report takes a name that ends in .md, .json or .xml, not "${options.report}"`)
      const target = await asUsage(async () => {
        const { readTarget } = await import('../conformance/read-target.ts')
        return readTarget(resolve(workingFolder, options.target), environment)
      })
      const { createSecretFilter } = await import('../conformance/secret-filter.ts')
      const { collectStrayErrors } = await import('../conformance/stray-errors.ts')
      const filter = createSecretFilter()
      using strays = collectStrayErrors(filter)
      const progress = createProgress(printer, (suite) => formatSummary(summarise(suite)))
      const ran = await asUsage(async () => {
        const { runTarget } = await import('../conformance/run-target.ts')
        return runTarget(target, {
          suites,
          ...(options.case === undefined ? {} : { caseText: options.case }),
          clock: systemClock,
          filter,
          onResult: progress.add,
        })
      })
      progress.end()
      const results = [...ran, ...strays.results()]
      if (results.length === 0) throw usageError(`no case of ${suites.join(', ')} matches "${options.case ?? ''}"`)
      if (options.report !== undefined) writeReport(resolve(workingFolder, options.report), target.name, results)
      printer.result(reportDocument(target.name, results), () => formatReport(target.name, results, printer))
      process.exitCode = summarise(results).failed === 0 ? exitCodes.ok : exitCodes.failed
    })
}

async function chooseSuites(only: string | undefined): Promise<readonly SuiteName[]> {
  const { suiteNames } = await import('../conformance/suites.ts')
  const names: readonly string[] = only?.split(',').map((name) => name.trim()) ?? suiteNames
  const unknown = names.find((name) => !suiteNames.some((known) => known === name))
  if (unknown !== undefined) throw usageError(`--only takes ${suiteNames.join(', ')}, not "${unknown}"`)
  return suiteNames.filter((name) => names.includes(name))
}

/** What is wrong with the target file is a matter of usage: 1 is for cases that fail. */
async function asUsage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const ofTheFile = (['CONFIGURATION_INVALID', 'BINDING_INVALID', 'PORT_IN_USE'] as const).some((code) =>
      ConnectivityError.is(error, code),
    )
    throw ofTheFile ? usageError((error as Error).message) : error
  }
}

/** One line that is written over on a terminal; elsewhere one line for each suite that is through. */
function createProgress(
  printer: Printer,
  formatSuite: (results: readonly CaseResult[]) => string,
): { add(result: CaseResult): void; end(): void } {
  const terminal = process.stderr.isTTY && !printer.json
  let done = 0
  let failed = 0
  let current = ''
  let inSuite: CaseResult[] = []
  const closeSuite = (): void => {
    if (current !== '' && !terminal) printer.note(`${current}: ${formatSuite(inSuite)}`)
  }
  return {
    add(result) {
      const group = `${result.suite} · ${result.subject}`
      if (group !== current) {
        closeSuite()
        current = group
        inSuite = []
      }
      inSuite.push(result)
      done++
      if (result.outcome === 'failed') failed++
      const line = `${done} cases, ${failed} failed · ${group} · ${result.name}`
      if (terminal) process.stderr.write(`\r\x1b[2K${line.slice(0, process.stderr.columns - 1)}`)
    },
    end() {
      closeSuite()
      if (terminal) process.stderr.write('\r\x1b[2K')
    },
  }
}
