import { checkoutThere, type Machine, type Outcome } from './machine.ts'
import { until } from './until.ts'

/** What systemd says about a service, of the properties that are looked at here. */
interface ServiceState {
  readonly active: string
  readonly mainPid: number
  readonly restarts: number
  readonly result: string
}

/** One service of the machine, by the commands that an administrator has. */
export interface Service {
  readonly name: string
  readonly data: string
  state(): Promise<ServiceState>
  /** Runs `systemctl <verb> <service>`. @throws Error with what it said. */
  systemctl(verb: string): Promise<void>
  /** Settles when it runs, as another process than `otherThan`. */
  running(otherThan?: number): Promise<ServiceState>
  /** Everything that it and systemd wrote into the journal. */
  journal(): Promise<string>
  /** Puts settings beside those of the unit, as `systemctl edit` does. */
  override(settings: readonly string[]): Promise<void>
  /** Takes them away again. */
  revert(): Promise<void>
}

export const node: string = `${checkoutThere}/node_modules/.bin/node`
const sallyportWords = [node, `${checkoutThere}/apps/sallyport/dist/main.js`]
const startPatienceMs = 60_000

/** Path on the machine of a script of `inside/`. */
export function scriptThere(name: string): string {
  return `${checkoutThere}/tooling/systemd/src/inside/${name}`
}

/** Runs `sallyport` as root. */
export function sallyport(machine: Machine, words: readonly string[]): Promise<Outcome> {
  return machine.run([...sallyportWords, ...words])
}

/** As {@link sallyport} with `--json`: the document. @throws Error with what it said. */
export async function document(machine: Machine, words: readonly string[]): Promise<any> {
  return JSON.parse(await machine.must([...sallyportWords, ...words, '--json']))
}

/** Starts a program as a passing service. */
export async function startBeside(machine: Machine, name: string, words: readonly string[]): Promise<void> {
  await machine.must(['systemd-run', '--quiet', `--unit=${name}`, node, ...words])
}

export function openService(machine: Machine, name: string): Service {
  const folder = `/etc/systemd/system/${name}.service.d`
  const service: Service = {
    name,
    data: `/var/lib/${name}`,
    async state() {
      const properties = 'ActiveState,MainPID,NRestarts,Result'
      const text = await machine.must(['systemctl', 'show', name, '--property', properties])
      const valueOf = (property: string): string => new RegExp(`^${property}=(.*)$`, 'm').exec(text)?.[1] ?? ''
      return {
        active: valueOf('ActiveState'),
        mainPid: Number(valueOf('MainPID')),
        restarts: Number(valueOf('NRestarts')),
        result: valueOf('Result'),
      }
    },
    async systemctl(verb) {
      await machine.must(['systemctl', verb, name])
    },
    async running(otherThan = 0) {
      const isNew = async (): Promise<boolean> => {
        const { active, mainPid } = await service.state()
        return active === 'active' && mainPid !== otherThan
      }
      await until(`${name} runs`, isNew, startPatienceMs)
      return await service.state()
    },
    journal: () => machine.must(['journalctl', '--no-pager', '--output=short', '--unit', name]),
    async override(settings) {
      await machine.must(['mkdir', '-p', folder])
      await machine.must(['tee', `${folder}/override.conf`], { input: ['[Service]', ...settings, ''].join('\n') })
      await machine.must(['systemctl', 'daemon-reload'])
    },
    async revert() {
      await machine.must(['rm', '-r', folder])
      await machine.must(['systemctl', 'daemon-reload'])
    },
  }
  return service
}
