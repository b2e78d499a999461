import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { checkoutThere, type Machine } from './machine.ts'
import { document, node, openService, sallyport, scriptThere, type Service, startBeside } from './service.ts'
import { until } from './until.ts'

/** One thing that happens to a service; each goes on where the one before has left it. @throws Error when it does not end as it should. */
export interface Step {
  readonly title: string
  run(trial: Trial): Promise<void>
}

/** The machine with a cloud side, a back end, and the connector as a service. */
export interface Trial {
  readonly machine: Machine
  readonly connector: Service
}

const cloudData = '/srv/cloud/data'
const password = 'long enough for a trial'
const archivePassword = 'of the archive'
const patienceMs = 60_000

/** Prepares what stands beside the service. */
export async function prepareTrial(machine: Machine): Promise<Trial> {
  await machine.must(['mkdir', '-p', '/srv/cloud'])
  await machine.must(['tee', '/srv/cloud/server.yaml'], { input: 'version: 1\nsubaccounts: [{ id: demo }]\n' })
  await startBeside(machine, 'backend', [scriptThere('backend.mjs')])
  const roles = 'token-service,destination-service,connectivity-proxy'
  const main = `${checkoutThere}/apps/sallyport/dist/main.js`
  await startBeside(machine, 'cloud', [main, 'serve', roles, '--config', '/srv/cloud/server.yaml', '--data', cloudData])
  return { machine, connector: openService(machine, 'sallyport-connector') }
}

export const life: readonly Step[] = [
  {
    title: 'install --now starts it, now and with the machine, as a user of its own',
    async run({ connector, machine }) {
      await document(machine, ['connector', 'service', 'install', '--now'])
      const { active, mainPid } = await connector.state()
      equal(active, 'active')
      equal((await machine.must(['systemctl', 'is-enabled', connector.name])).trim(), 'enabled')
      equal((await machine.must(['stat', '-c', '%U', `/proc/${mainPid}`])).trim(), connector.name)
      equal((await machine.must(['stat', '-L', '-c', '%U %a', connector.data])).trim(), `${connector.name} 700`)
    },
  },
  {
    title: 'first log-on, a subaccount, a mapping, a request',
    async run({ connector, machine }) {
      const trusting = (data: string): readonly string[] => ['env', `NODE_EXTRA_CA_CERTS=${data}/ca.crt`, node]
      equal(
        (await machine.must([...trusting(connector.data), scriptThere('first-log-on.mjs'), connector.data, password])).trim(),
        '204 204',
      )
      const code = ['connector', 'code', '--subaccount', 'demo', '--authentication-data', '--data', cloudData]
      await until('the cloud side starts', async () => (await sallyport(machine, code)).code === 0, patienceMs)
      const { authenticationData } = await document(machine, code)
      await machine.must(['tee', '/srv/cloud/data.txt'], { input: authenticationData })
      const data = ['--data', connector.data]
      await document(machine, ['connector', 'subaccount', 'add', '--authentication-data', '/srv/cloud/data.txt', ...data])
      await document(machine, ['mapping', 'add', 'erp.virtual:80', 'http://127.0.0.1:8000', ...data])
      await document(machine, ['resource', 'add', 'erp.virtual:80', '/', '--sub-paths', ...data])
      await succeeds(machine)
    },
  },
  {
    title: 'the kernel holds it to no capability, no new privilege and the filter of system calls',
    async run({ connector, machine }) {
      const status = await machine.must(['cat', `/proc/${(await connector.state()).mainPid}/status`])
      const valueOf = (field: string): string => new RegExp(`^${field}:\\s*(\\S+)$`, 'm').exec(status)?.[1] ?? ''
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) equal(valueOf(set), '0000000000000000', set)
      equal(valueOf('NoNewPrivs'), '1')
      equal(valueOf('Seccomp'), '2')
    },
  },
  {
    title: 'in its confinement compilers, workers, children and names work, and the machine can be neither written nor read',
    async run({ machine }) {
      const { unit } = await document(machine, ['connector', 'service', 'print', '--name', 'probe'])
      const probe = unit
        .replace(/^ExecStart=.*$/m, `ExecStart=${node} ${scriptThere('probe.mjs')}`)
        .replace(/^Type=notify$/m, 'Type=oneshot')
        .replace(/^(Restart|RestartForceExitStatus|WatchdogSec)=.*\n/gm, '')
      await machine.must(['tee', '/run/systemd/system/probe.service'], { input: probe })
      await machine.must(['systemctl', 'daemon-reload'])
      const { code } = await machine.run(['systemctl', 'start', 'probe'])
      const said = await openService(machine, 'probe').journal()
      equal(code, 0, said)
      const { kerberos, written, ...seen } = JSON.parse(/\{.*\}/.exec(said)?.[0] ?? '{}')
      deepEqual(seen, {
        compiled: true,
        fromWorker: 7,
        name: '127.0.0.1',
        interfaces: ['lo'],
        memoryKnown: true,
        child: 'ran',
        read: {
          '/root': 'EACCES',
          '/home': 'EACCES',
          '/proc/1/status': 'ENOENT',
          '/dev/console': 'ENOENT',
          '/dev/kmsg': 'ENOENT',
          '/dev/mem': 'ENOENT',
        },
      })
      for (const [folder, outcome] of Object.entries(written)) equal(outcome, 'EROFS', folder)
      match(kerberos, /not installed|^kinit: .*(nowhere|TRIAL\.TEST|Cannot|configuration)/s)
      equal((await machine.run(['ls', '/tmp/of-the-probe'])).code, 2, 'its /tmp is that of the machine')
    },
  },
  {
    title: 'systemctl restart: what was configured is there',
    async run({ connector, machine }) {
      const before = await connector.state()
      await connector.systemctl('restart')
      notEqual((await connector.state()).mainPid, before.mainPid)
      await succeeds(machine)
    },
  },
  {
    title: 'SIGKILL: it is started again',
    async run({ connector, machine }) {
      const { mainPid, restarts } = await connector.state()
      await machine.must(['kill', '-KILL', String(mainPid)])
      equal((await connector.running(mainPid)).restarts, restarts + 1)
      await succeeds(machine)
    },
  },
  {
    title: 'it does not turn any more: the watchdog has it started again',
    async run({ connector, machine }) {
      await connector.override(['WatchdogSec=10'])
      await connector.systemctl('restart')
      const { mainPid } = await connector.state()
      // It outlives the span while it turns. So long a span, because a loaded machine takes seconds to say something.
      await new Promise((resolve) => setTimeout(resolve, 12_000))
      deepEqual(await connector.state(), { active: 'active', mainPid, restarts: 0, result: 'success' })
      await machine.must(['kill', '-STOP', String(mainPid)])
      equal((await connector.running(mainPid)).restarts, 1)
      match(await connector.journal(), /Watchdog timeout/)
      await connector.revert()
      await connector.systemctl('restart')
      await succeeds(machine)
    },
  },
  {
    title: 'a stop lets a request under way finish, and is a clean end',
    async run({ connector, machine }) {
      const answer = ask(machine, '/slow?3000')
      await until('the request is under way', async () => (await openRequests(machine)) > 0, patienceMs)
      await connector.systemctl('stop')
      equal(await answer, '200 from the back end')
      deepEqual(await connector.state(), { active: 'inactive', mainPid: 0, restarts: 0, result: 'success' })
      await connector.systemctl('start')
      await succeeds(machine)
    },
  },
  {
    title: 'a restore ends it with status 42, and it is started again with what the archive holds',
    async run({ connector, machine }) {
      await machine.must(['tee', '/srv/password'], { input: archivePassword })
      const words = ['/srv/backup.zip', '--backup-password-file', '/srv/password', '--data', connector.data]
      await document(machine, ['connector', 'backup', ...words])
      await document(machine, ['mapping', 'add', 'later.virtual:80', 'http://127.0.0.1:8000', '--data', connector.data])
      const { mainPid } = await connector.state()
      await document(machine, ['connector', 'restore', ...words])
      await connector.running(mainPid)
      await succeeds(machine)
      const mappings = JSON.stringify(await document(machine, ['mapping', 'list', '--data', connector.data]))
      match(mappings, /erp\.virtual/)
      ok(!mappings.includes('later.virtual'))
    },
  },
  {
    title: 'what root changes in its folder it can read, and root does not serve from there',
    async run({ connector, machine }) {
      await connector.systemctl('stop')
      await document(machine, ['connector', 'user', 'reset', '--data', connector.data])
      const refused = await sallyport(machine, ['serve', 'connector', '--data', connector.data])
      equal(refused.code, 1)
      match(refused.stderr, /systemctl start sallyport-connector/)
      equal(await machine.must(['find', `${connector.data}/`, '-user', 'root']), '')
      await connector.systemctl('start')
      await succeeds(machine)
    },
  },
  {
    title: 'a configuration that root alone reads reaches it, and a port below 1024 only with the documented drop-in',
    async run({ machine }) {
      const second = openService(machine, 'second')
      const configuration =
        'version: 1\nconnectorAdmin:\n  port: 443\n  alerts: { webhook: { url: "https://127.0.0.1:1/", secret: { file: hook } } }\n'
      await machine.must(['mkdir', '-m', '700', '/etc/sallyport'])
      await machine.must(['tee', '/etc/sallyport/connector.yaml'], { input: configuration })
      await machine.must(['tee', '/etc/sallyport/hook'], { input: 'sixteen characters or more' })
      await machine.must(['chmod', '600', '/etc/sallyport/connector.yaml', '/etc/sallyport/hook'])
      const install = ['connector', 'service', 'install', '--name', second.name, '--config', '/etc/sallyport/connector.yaml', '--now']
      const refused = await sallyport(machine, install)
      equal(refused.code, 1)
      match(refused.stderr, /journalctl -u second\.service/)
      match(await second.journal(), /EACCES.*127\.0\.0\.1:443/)
      const capability = 'CAP_NET_BIND_SERVICE'
      await second.override(['PrivateUsers=no', `AmbientCapabilities=${capability}`, `CapabilityBoundingSet=${capability}`])
      await document(machine, install)
      match(await second.journal(), /"url":"https:\/\/localhost:443"/)
      await document(machine, ['connector', 'service', 'uninstall', '--name', second.name])
    },
  },
  {
    title: 'an upgrade: files are replaced while it serves, and a restart takes them',
    async run({ connector, machine }) {
      const app = `${checkoutThere}/apps/sallyport`
      await machine.must(['cp', '-r', `${app}/dist`, `${app}/dist.new`])
      await machine.must(['rm', '-r', `${app}/dist`])
      await machine.must(['mv', `${app}/dist.new`, `${app}/dist`])
      await machine.must(['sed', '-i', 's/"version": "[^"]*"/"version": "9.9.9"/', `${app}/package.json`])
      await succeeds(machine)
      const { mainPid } = await connector.state()
      await document(machine, ['connector', 'service', 'install', '--now'])
      notEqual((await connector.state()).mainPid, mainPid)
      equal((await sallyport(machine, ['--version'])).stdout.trim(), '9.9.9')
      await succeeds(machine)
    },
  },
  {
    title: 'the journal has what it did, and no secret',
    async run({ connector, machine }) {
      const journal = await connector.journal()
      for (const message of ['the connector can be administered', 'tunnel connected', 'stopped'])
        match(journal, new RegExp(`"msg":"${message}"`))
      const secretFiles = ['connector/initial-password', 'seal.key'].map((file) => `${connector.data}/${file}`)
      const kept = await Promise.all(secretFiles.map(async (file) => (await machine.must(['cat', file])).trim()))
      const { authenticationData } = await document(machine, ['connector', 'code', '--authentication-data', '--data', cloudData])
      // The beginning of authentication data is public: its code stands behind.
      const secrets = [...kept, password, archivePassword, authenticationData.slice(0, 100), 'PRIVATE KEY', 'Bearer ']
      for (const secret of secrets) ok(secret.length > 6 && !journal.includes(secret), 'a secret is in the journal')
    },
  },
  {
    title: 'uninstall ends it and leaves what it keeps, which a new installation finds',
    async run({ connector, machine }) {
      await document(machine, ['connector', 'service', 'uninstall'])
      equal((await machine.run(['systemctl', 'is-active', connector.name])).stdout.trim(), 'inactive')
      equal((await machine.run(['ls', `/etc/systemd/system/${connector.name}.service`])).code, 2)
      await document(machine, ['connector', 'service', 'install', '--now'])
      await succeeds(machine)
    },
  },
]

/** A request of an application; status and body. */
async function ask(machine: Machine, path: string): Promise<string> {
  const binding = JSON.stringify(await document(machine, ['bind', '--reveal', '--data', cloudData]))
  const trusting = ['env', `NODE_EXTRA_CA_CERTS=${cloudData}/ca.crt`]
  return (await machine.must([...trusting, node, scriptThere('request.mjs'), path], { input: binding })).trim()
}

/** The tunnel may need a moment after a start. */
async function succeeds(machine: Machine): Promise<void> {
  let last = ''
  const isAnswered = async (): Promise<boolean> => (last = await ask(machine, '/')) === '200 from the back end'
  await until('a request succeeds', isAnswered, patienceMs).catch((error: unknown) => {
    throw new Error(`a request got ${last}`, { cause: error })
  })
}

/** Connections that the back end has open: those of requests that it has not answered. */
async function openRequests(machine: Machine): Promise<number> {
  const sockets = await machine.must(['cat', '/proc/net/tcp'])
  // State 01 is established, 1F40 the port.
  return sockets.split('\n').filter((line) => /^ *\d+: \S+:1F40 \S+ 01 /.test(line)).length
}
