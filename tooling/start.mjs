// `pnpm start [-- options]`: builds what the command needs and runs the local stack with one visible request.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import './require-node.mjs'

const root = join(import.meta.dirname, '..')
const build = spawnSync('turbo', ['run', 'build', '--filter=sallyport', '--output-logs=errors-only', '--ui=stream'], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
  shell: process.platform === 'win32',
})
if (build.status !== 0) {
  console.error('the build failed; run "npx -y pnpm@12 build" to see all of it')
  process.exit(1)
}

const main = join(root, 'apps', 'sallyport', 'dist', 'main.js')
const stack = spawn(process.execPath, [main, 'dev', '--demo-request', ...process.argv.slice(2).filter((option) => option !== '--')], {
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stack.kill(signal))
stack.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 0)))
