import { readdir, readFile } from 'node:fs/promises'

/** The files of bindings, handed in so that only the application decides what is read. */
export interface BindingFiles {
  readFile(path: string): Promise<string>
  /** Names in a directory. */
  list(path: string): Promise<readonly string[]>
}

/** The real files. Only applications and tests pick it. */
export const systemBindingFiles: BindingFiles = {
  readFile: (path) => readFile(path, 'utf8'),
  list: (path) => readdir(path),
}
