import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { ConnectivityError } from '@sallyport/core'
import { readAuthority, readBindings } from '../stack/binding-files.ts'
import type { DataFolder } from '../stack/data-folder.ts'
import { createContext } from './context.ts'

/** `exec -- <command…>`: runs a command with the bindings and the local authority set, passes on signals and the exit code. */
export function addExecCommand(program: Command): void {
  program
    .command('exec')
    .description('run a command with VCAP_SERVICES, VCAP_APPLICATION and NODE_EXTRA_CA_CERTS set')
    .argument('<command...>', 'the command and its arguments, after --')
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (words: readonly string[], _options: unknown, command: Command) => {
      const context = createContext(command)
      process.exitCode = await run(words, { ...context.environment, ...bindingEnvironment(context.folder()) })
    })
}

/** The variables that make an unmodified client find the stack. */
export function bindingEnvironment(folder: DataFolder): Record<string, string> {
  readAuthority(folder)
  return {
    VCAP_SERVICES: JSON.stringify(readBindings(folder)),
    VCAP_APPLICATION: JSON.stringify({
      application_id: '00000000-0000-4000-8000-000000000000',
      application_name: 'sallyport-exec',
      application_uris: ['localhost'],
      space_name: 'local',
      organization_name: 'local',
    }),
    NODE_EXTRA_CA_CERTS: join(folder.path, 'ca.crt'),
  }
}

async function run(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const [file = '', ...args] = words
  const child = spawn(file, args, { stdio: 'inherit', env: environment, shell: process.platform === 'win32' })
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (cause: NodeJS.ErrnoException) =>
        reject(
          new ConnectivityError(
            'NOT_FOUND',
            `"${file}" cannot be started: ${cause.code === 'ENOENT' ? 'no such command' : cause.message}`,
            { cause },
          ),
        ),
      )
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
    })
  } finally {
    for (const signal of signals) process.off(signal, forward)
  }
}
