import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import { bindingForms, formatBindings, formatShell, readBindings, redactBindings, type BindingForm } from '../stack/binding-files.ts'
import { writeFileAtomically } from '../stack/data-folder.ts'
import { createContext } from './context.ts'
import { bindingEnvironment } from './exec.ts'

interface BindOptions {
  readonly write?: string
  readonly shell?: boolean
  readonly reveal?: boolean
}

/** `bind`: hands the bindings to tools that read files, or shows them. */
export function addBindCommand(program: Command): void {
  program
    .command('bind')
    .description('write or show the service bindings')
    .option('--write <file>', `one of ${bindingForms.join(', ')}`)
    .option('--shell', 'print export lines: eval "$(sallyport bind --shell)"')
    .option('--reveal', 'show secrets')
    .action((options: BindOptions, command: Command) => {
      const { printer, folder, workingFolder } = createContext(command)
      const bindings = readBindings(folder())
      if (options.shell === true) {
        process.stdout.write(formatShell(bindingEnvironment(folder())))
        return
      }
      if (options.write !== undefined) {
        const form = bindingForms.find((name) => name === options.write)
        if (form === undefined) throw usageError(`--write takes one of ${bindingForms.join(', ')}, not "${options.write}"`)
        const path = join(workingFolder, form === 'k8s' ? 'sallyport-bindings.yaml' : form)
        writeFileAtomically(path, formatBindings(form, bindings, existsSync(path) ? readFileSync(path, 'utf8') : undefined))
        const ignored = ignoreFile(workingFolder, path.slice(workingFolder.length + 1))
        printer.result(
          { written: path, form: form satisfies BindingForm, ignored },
          () => `Bindings written to ${path} (0600)${ignored ? ', added to .gitignore' : ''}`,
        )
        return
      }
      const shown = options.reveal === true ? bindings : redactBindings(bindings)
      printer.result(
        shown,
        () => `${JSON.stringify(shown, null, 2)}${options.reveal === true ? '' : '\n\nSecrets are hidden; --reveal shows them.'}`,
      )
    })
}

/** Keeps the file out of version control where there is any. Returns whether a line was added. */
function ignoreFile(folder: string, name: string): boolean {
  const ignore = join(folder, '.gitignore')
  if (!existsSync(join(folder, '.git')) && !existsSync(ignore)) return false
  const lines = existsSync(ignore) ? readFileSync(ignore, 'utf8') : ''
  if (lines.split('\n').some((line) => line.trim() === name || line.trim() === `/${name}`)) return false
  appendFileSync(ignore, `${lines === '' || lines.endsWith('\n') ? '' : '\n'}${name}\n`)
  return true
}
