import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram, skipUnless } from './programs.ts'

/** A package of PyPI that tests talk to. It is a peer of tests alone: nothing of it is imported or shipped. */
export interface PythonPackage {
  readonly name: string
  readonly version: string
  /** Module whose import shows that the package is whole. */
  readonly module: string
  /** Least Python that it takes, such as `3.12`; the default is whatever `python3` is. */
  readonly python?: string
}

const run = promisify(execFile)

/**
 * Installs a package into an environment of its own in `folder`, once, and returns the interpreter that has it. Where that is impossible it says so on standard error
 * and returns `undefined`: packages come from a registry that not every machine reaches, so that unlike programs of the distribution they cannot be demanded.
 */
export async function installPythonPackage({ name, version, module, python }: PythonPackage, folder: string): Promise<string | undefined> {
  if (skipUnless('python3')) return undefined
  const environment = join(folder, `.${name}-${version}`)
  const interpreter = join(environment, 'bin', 'python')
  if (existsSync(join(environment, 'installed'))) return interpreter
  const skip = (reason: string): undefined => {
    process.stderr.write(`\n*** SKIPPED against the real world: ${name} ${version} cannot be installed: ${reason} ***\n`)
    return undefined
  }
  const base = await findPython(python)
  if (base === undefined) return skip(`it needs Python ${python ?? '3'} or newer`)
  try {
    await run(base, ['-m', 'venv', environment], { timeout: 60_000 })
    await run(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `${name}==${version}`], { timeout: 100_000 })
    const mark = JSON.stringify(join(environment, 'installed'))
    await run(interpreter, ['-c', `import ${module}, pathlib; pathlib.Path(${mark}).touch()`], { timeout: 20_000 })
    return interpreter
  } catch (error) {
    return skip(String(error).split('\n')[0] ?? '')
  }
}

/** The interpreter of the distribution, one beside it, or one that pyenv has built: the first that is new enough. */
async function findPython(least: string | undefined): Promise<string | undefined> {
  const onPath = ['python3', 'python3.15', 'python3.14', 'python3.13', 'python3.12'].map((name) => findProgram(name))
  const candidates = [...onPath.filter((file) => file !== undefined), ...globSync(join(homedir(), '.pyenv/versions/*/bin/python3'))]
  const [major = '3', minor = '0'] = (least ?? '3.0').split('.')
  for (const candidate of candidates) {
    try {
      await run(candidate, ['-c', `import sys; sys.exit(sys.version_info < (${major}, ${minor}))`], { timeout: 10_000 })
      return candidate
    } catch {
      // Too old, or a name that leads nowhere: the next one.
    }
  }
  return undefined
}
