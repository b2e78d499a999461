import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { ConfigurationProblem } from '@sallyport/admin-api'
import { configurationError, readConfigurationText } from '@sallyport/cloud-connector'
import { type Address, ConnectivityError, createSecret, parseAddress, type Secret } from '@sallyport/core'
import { caseNames, type SuiteName } from './suites.ts'
import { type SlotEntry, type TargetFile, targetSchema } from './target-schema.ts'

/** One address behind the connector of the target, parsed. */
export interface Slot {
  readonly virtual: Address
  readonly listen: Address
  readonly elsewhere: Address | undefined
}

/** A target whose files have been read. */
export interface Target extends Omit<TargetFile, 'bindings' | 'authorities' | 'farSide' | 'notExposed' | 'httpConnect' | 'users'> {
  readonly bindingsFile: string
  readonly authorities: readonly string[]
  readonly tcp: readonly Slot[]
  readonly http: readonly Slot[]
  readonly rfc: readonly Slot[]
  readonly dotted: Slot | undefined
  readonly elsewhereLocation: string | undefined
  readonly notExposed: Address | undefined
  readonly httpConnect:
    | { readonly proxy: Address; readonly credentials: { readonly user: string; readonly password: Secret } | undefined }
    | undefined
  readonly users: readonly Secret[]
}

const maxFileBytes = 1_048_576

/**
 * Reads a target file, YAML or JSON, and the files that it names.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` with every problem, one per line with its place.
 */
export function readTarget(file: string, environment: NodeJS.ProcessEnv): Target {
  const path = resolve(file)
  const read = readConfigurationText({ text: readBounded(path, 'target file'), schema: targetSchema })
  if ('problems' in read) throw configurationError(path, read.problems)
  const problems = findProblems(read.value)
  if (problems.length > 0) throw configurationError(path, problems.map(read.locate))
  const { bindings, authorities, farSide, notExposed, httpConnect, users, ...rest } = read.value
  const near = (name: string): string => resolve(dirname(path), name)
  const secretOf = (reference: { readonly file: string } | { readonly env: string }): Secret =>
    createSecret('file' in reference ? readBounded(near(reference.file), 'file').trim() : variable(reference.env, environment))
  return {
    ...rest,
    bindingsFile: near(bindings.file),
    authorities: authorities.map((entry) => readBounded(near(entry.file), 'file of authorities')),
    tcp: farSide.tcp.map(parseSlot),
    http: farSide.http.map(parseSlot),
    rfc: farSide.rfc.map(parseSlot),
    dotted: farSide.dotted === undefined ? undefined : parseSlot(farSide.dotted),
    elsewhereLocation: farSide.elsewhereLocation,
    notExposed: notExposed === undefined ? undefined : parseAddress(notExposed),
    httpConnect:
      httpConnect === undefined
        ? undefined
        : {
            proxy: parseAddress(httpConnect.proxy),
            credentials:
              httpConnect.user === undefined || httpConnect.password === undefined
                ? undefined
                : { user: httpConnect.user, password: secretOf(httpConnect.password) },
          },
    users: users.map(secretOf),
  }
}

function parseSlot({ virtual, listen, elsewhere }: SlotEntry): Slot {
  return {
    virtual: parseAddress(virtual),
    listen: parseAddress(listen),
    elsewhere: elsewhere === undefined ? undefined : parseAddress(elsewhere),
  }
}

/** What is wrong across entries. */
function findProblems({ farSide, httpConnect, knownGaps }: TargetFile): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const entries = [
    ...farSide.tcp.map((slot, at) => ({ slot, path: ['farSide', 'tcp', at] })),
    ...farSide.http.map((slot, at) => ({ slot, path: ['farSide', 'http', at] })),
    ...farSide.rfc.map((slot, at) => ({ slot, path: ['farSide', 'rfc', at] })),
    ...(farSide.dotted === undefined ? [] : [{ slot: farSide.dotted, path: ['farSide', 'dotted'] }]),
  ]
  if (farSide.tcp.length + farSide.http.length + farSide.rfc.length === 0)
    problems.push({ path: ['farSide'], message: 'name addresses under tcp, http or rfc; without a far side there is nothing to reach' })
  const listening = new Set<string>()
  for (const { slot, path } of entries) {
    for (const key of ['listen', 'elsewhere'] as const) {
      const text = slot[key]
      if (text === undefined) continue
      if (listening.has(text))
        problems.push({ path: [...path, key], message: `${text} stands twice; every address needs a port of its own` })
      listening.add(text)
    }
    if (farSide.elsewhereLocation !== undefined && slot.elsewhere === undefined && (path[1] === 'tcp' || path[1] === 'http'))
      problems.push({ path, message: 'farSide.elsewhereLocation is given, so this address needs "elsewhere"' })
    if (farSide.elsewhereLocation === undefined && slot.elsewhere !== undefined)
      problems.push({ path: [...path, 'elsewhere'], message: 'needs farSide.elsewhereLocation' })
  }
  if (farSide.dotted !== undefined && !/^\d+\.\d+\.\d+\.\d+:/.test(farSide.dotted.virtual))
    problems.push({ path: ['farSide', 'dotted', 'virtual'], message: 'its host is no IPv4 address' })
  if ((httpConnect?.user === undefined) !== (httpConnect?.password === undefined))
    problems.push({ path: ['httpConnect'], message: 'user and password stand together or not at all' })
  for (const [suite, gaps] of Object.entries(knownGaps)) {
    const known = caseNames[suite.split('/', 1)[0] as SuiteName] as readonly string[] | undefined
    if (known === undefined) {
      problems.push({
        path: ['knownGaps', suite],
        message: `there is no such suite; there are ${Object.keys(caseNames).join(', ')}, and for one subject of a suite adapters/http and the like`,
      })
      continue
    }
    for (const name of Object.keys(gaps))
      if (!known.includes(name)) problems.push({ path: ['knownGaps', suite, name], message: 'there is no such case in this suite' })
  }
  return problems
}

function variable(name: string, environment: NodeJS.ProcessEnv): string {
  const value = environment[name]
  if (value === undefined || value === '')
    throw new ConnectivityError('CONFIGURATION_INVALID', `the environment variable ${name} is not set`)
  return value
}

function readBounded(path: string, what: string): string {
  try {
    const { size } = statSync(path)
    if (size > maxFileBytes)
      throw new ConnectivityError('CONFIGURATION_INVALID', `the ${what} ${path} is larger than ${maxFileBytes} bytes`)
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (ConnectivityError.is(cause)) throw cause
    const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read'
    throw new ConnectivityError('CONFIGURATION_INVALID', `the ${what} ${path} ${reason}`, { cause })
  }
}
