import { hostOf } from './network.ts'
import { type Connector, type Installation, mappingTo, must, subaccountPath } from './installation.ts'
import { until } from './wait.ts'

/** Writes mappings through REST and remembers which were acknowledged, by whom. */
export interface Ledger {
  /** Settles with the status, or with how the connection ended: then the mapping may be there or not. */
  write(connector: Connector): Promise<number | string>
  /** What was acknowledged so far. */
  readonly acknowledged: readonly Acknowledgement[]
  /** What is wrong with the configuration now, for people: anything acknowledged that is missing or half, anything else that has changed, two sides that differ. */
  problems(): Promise<readonly string[]>
}

/** A mapping that a connector said it has made. */
export interface Acknowledgement {
  readonly name: string
  readonly by: Connector
}

const timeoutMs = 20_000
/** A few checks of the shadow, of which there is one each second here. */
const nextCheckMs = 5_000
const mappings = `${subaccountPath}/systemMappings`
/** What no write here touches, and no fault may. */
const untouched = [
  '/api/v1/configuration/connector/proxy',
  `/api/v1/configuration/connector/auditLog/subaccounts/${hostOf('cloud')}/demo`,
  `${mappings}/erp.virtual:80/resources`,
]

/** Opens the ledger of an installation that runs as it should. */
export async function openLedger({ connectors, roles }: Installation): Promise<Ledger> {
  const acknowledged: Acknowledgement[] = []
  let written = 0
  const rest = async ({ call }: Connector): Promise<readonly string[]> =>
    await Promise.all(untouched.map(async (path) => withoutLinks((await call('GET', path)).text)))
  const before = await rest((await roles()).master)

  const problemsOf = async (connector: Connector): Promise<readonly string[]> => {
    const where = connector.machine.name
    const kept: any[] = (await must(200, connector.call('GET', mappings))).json()
    const byName = new Map(kept.map((mapping) => [mapping.virtualHost, mapping]))
    const lost = acknowledged.filter(({ name }) => !byName.has(name)).map(({ by, name }) => `${name}, acknowledged by ${by.machine.name}`)
    const half = kept.filter(({ virtualHost }) => virtualHost.startsWith('w')).filter((mapping) => !isWhole(mapping))
    const now = await rest(connector)
    return [
      ...lost.map((what) => `${where} has lost ${what}`),
      ...half.map(({ virtualHost }) => `${where} has a half ${virtualHost}`),
      ...now.flatMap((text, at) => (text === before[at] ? [] : [`${where} has changed ${untouched[at]}`])),
    ]
  }

  const problemsNow = async (): Promise<readonly string[]> => {
    const [first, second] = await Promise.all(connectors.map(problemsOf))
    const lists = await Promise.all(connectors.map(async ({ call }) => withoutLinks((await call('GET', mappings)).text)))
    return [...(first ?? []), ...(second ?? []), ...(lists[0] === lists[1] ? [] : ['the two connectors have different mappings'])]
  }

  return {
    acknowledged,
    async write(connector) {
      written += 1
      const name = `w${written}.faults`
      try {
        const answer = await connector.call('POST', mappings, mappingTo(name), { timeoutMs })
        if (answer.status === 201) acknowledged.push({ name, by: connector })
        return answer.status === 201 ? 201 : `${answer.status} ${messageOf(answer.text)}`
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? String(error)
      }
    },
    async problems() {
      const { master } = await roles()
      let found = await problemsOf(master)
      if (found.length > 0) return found
      const isSound = async (): Promise<boolean> => (found = await problemsNow()).length === 0
      // What a shadow lacks that will not take over before it has it, is acknowledged without it; it has it with the next check.
      await until('both have everything', isSound, nextCheckMs).catch(() => undefined)
      return found
    },
  }
}

function isWhole(mapping: Readonly<Record<string, unknown>>): boolean {
  const expected = mappingTo(String(mapping['virtualHost']))
  return Object.entries(expected).every(([key, value]) => mapping[key] === value)
}

/** Links and times differ from machine to machine. */
function withoutLinks(text: string): string {
  return JSON.stringify(JSON.parse(text === '' ? 'null' : text), (key, value: unknown) =>
    key === '_links' || key === 'creationDate' ? undefined : value,
  )
}

function messageOf(text: string): string {
  try {
    return String(JSON.parse(text).message)
  } catch {
    // Not of the administration: shown as it is.
    return text.slice(0, 200)
  }
}
