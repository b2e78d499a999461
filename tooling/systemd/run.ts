import { resolve } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import { life, prepareTrial, type Trial } from './src/life.ts'
import { bootMachine } from './src/machine.ts'
import { obstacle } from './src/obstacle.ts'

const usage = `pnpm systemd [--root <folder>]

  --root   an unpacked system to boot, such as one that debootstrap made; this machine's own otherwise. It is not changed
`

process.exitCode = await main()

async function main(): Promise<number> {
  let root: string
  try {
    const { values } = parseArgs({
      options: { root: { type: 'string', default: '/' }, help: { type: 'boolean', short: 'h', default: false } },
    })
    if (values.help) {
      process.stdout.write(usage)
      return 0
    }
    root = resolve(values.root)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return 2
  }
  const reason = obstacle(root)
  if (reason !== undefined) {
    process.stderr.write(`no systemd of its own here: ${reason}\n`)
    return 2
  }
  await using machine = await bootMachine(root)
  process.stdout.write(`${(await machine.must(['systemctl', '--version'])).split('\n')[0]}\n`)
  return await goThrough(await prepareTrial(machine))
}

/** Each step needs what the one before has left, so that the first failure is the last step. */
async function goThrough(trial: Trial): Promise<number> {
  for (const { run, title } of life) {
    const startedMs = performance.now()
    try {
      await run(trial)
    } catch (error) {
      const journal = (await trial.machine.run(['journalctl', '--no-pager', '--lines=40'])).stdout
      process.stderr.write(`✖ ${title}\n${inspect(error)}\n${journal}`)
      return 1
    }
    process.stdout.write(`✔ ${title} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)\n`)
  }
  return 0
}
