import { watch } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, relative, resolve, sep } from 'node:path'
import type { ConfigurationProblem, ConnectorEntry } from '@sallyport/admin-api'
import { type Clock, ConnectivityError } from '@sallyport/core'
import { configurationSettleMs, maxConfigurationBytes, maxReferencedFileBytes } from '../limits.ts'

/** Where a connector's configuration comes from. */
export interface ConfigurationSource {
  /** For messages, usually the file's name. */
  readonly name: string
  /** A text to be parsed, or what was parsed and checked already. */
  read(): Promise<string | WrittenConnectors>
  /** A file that the configuration refers to; in base64 where it is no text. */
  readFile(reference: string, encoding?: 'utf8' | 'base64'): Promise<string>
  /** Calls back after changes have settled; the returned function stops it. */
  watch(onChange: () => void): () => void
}

/** A source that is always parsed. */
interface TextSource extends ConfigurationSource {
  read(): Promise<string>
}

/** Connectors that have passed `connectorEntrySchema`. Who reads them again may give the same objects: what is the same is not looked at again. */
export interface WrittenConnectors {
  readonly connectors: readonly ConnectorEntry[]
  /** Where they stand, to tell places of problems. */
  readonly text?: string | undefined
  /** Tells problems where there is no text that they could stand in. */
  readonly explain?: (problem: ConfigurationProblem) => string
}

/**
 * A configuration file and the files beside it. The folder is watched, not the file: editors and Kubernetes replace files by renaming. Of what happens in
 * the folder only the file itself, what it refers to, and the links by which Kubernetes changes a whole folder (`..data`) count. References are relative to
 * the folder.
 */
export function createConfigurationFile(options: { readonly file: string; readonly clock: Clock }): TextSource {
  const file = resolve(options.file)
  const folder = dirname(file)
  /** Names in the folder that the configuration depends on. */
  const watched = new Set([basename(file)])
  return {
    name: basename(file),
    read: () => readText(file, maxConfigurationBytes),
    readFile(reference, encoding) {
      const path = resolve(folder, reference)
      watched.add(relative(folder, path).split(sep)[0] ?? '')
      return readText(path, maxReferencedFileBytes, encoding)
    },
    watch(onChange) {
      let cancel: (() => void) | undefined
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name !== null && !watched.has(name) && !name.startsWith('..')) return
        cancel?.()
        cancel = options.clock.after(configurationSettleMs, onChange)
      })
      // A folder that disappears ends the watching, not the connector; `reload` still works.
      watcher.on('error', () => watcher.close())
      return () => {
        cancel?.()
        watcher.close()
      }
    },
  }
}

/** A configuration held in memory, for embedding and tests. `files` answers references by name: texts, and what is no text as bytes. */
export function createConfigurationText(options: {
  readonly text: string
  readonly name?: string
  readonly files?: Readonly<Record<string, string | Buffer>>
}): ConfigurationSource & { replace(text: string, files?: Readonly<Record<string, string | Buffer>>): void } {
  let { text, files = {} } = options
  let listeners: readonly (() => void)[] = []
  return {
    name: options.name ?? 'configuration',
    read: () => Promise.resolve(text),
    async readFile(reference, encoding = 'utf8') {
      const content = files[reference]
      if (content === undefined) throw new ConnectivityError('CONFIGURATION_INVALID', `there is no file "${reference}"`)
      return typeof content === 'string' && encoding === 'utf8' ? content : Buffer.from(content).toString(encoding)
    },
    watch(onChange) {
      listeners = [...listeners, onChange]
      return () => {
        listeners = listeners.filter((listener) => listener !== onChange)
      }
    },
    replace(newText, newFiles) {
      text = newText
      if (newFiles !== undefined) files = newFiles
      for (const listener of listeners) listener()
    },
  }
}

async function readText(file: string, maxBytes: number, encoding: 'utf8' | 'base64' = 'utf8'): Promise<string> {
  try {
    await using handle = await open(file, 'r')
    const chunks: Buffer[] = []
    // Counted while it is read: a file may grow meanwhile, and pipes and devices have no size.
    for (let size = 0; ;) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(65_536))
      if (bytesRead === 0) return Buffer.concat(chunks).toString(encoding)
      size += bytesRead
      if (size > maxBytes) throw new ConnectivityError('CONFIGURATION_INVALID', `"${file}" has more than ${maxBytes} bytes`)
      chunks.push(buffer.subarray(0, bytesRead))
    }
  } catch (cause) {
    if (ConnectivityError.is(cause)) throw cause
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new ConnectivityError('CONFIGURATION_INVALID', `"${file}" cannot be read (${code})`, { cause })
  }
}
