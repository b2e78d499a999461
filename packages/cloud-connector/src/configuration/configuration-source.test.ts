import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '@sallyport/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { maxReferencedFileBytes } from '../limits.ts'
import { createConfigurationFile } from './configuration-source.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-source-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const source = () => createConfigurationFile({ file: join(folder, 'sallyport.yaml'), clock: systemClock })

describe('files of a configuration', () => {
  it('are read up to their limit', async () => {
    writeFileSync(join(folder, 'ca.pem'), 'a'.repeat(maxReferencedFileBytes))
    expect(await source().readFile('ca.pem')).toHaveLength(maxReferencedFileBytes)
    writeFileSync(join(folder, 'ca.pem'), 'a'.repeat(maxReferencedFileBytes + 1))
    await expect(source().readFile('ca.pem')).rejects.toThrow(`has more than ${maxReferencedFileBytes} bytes`)
    await expect(source().readFile('missing.pem')).rejects.toThrow(/missing\.pem" cannot be read \(ENOENT\)/)
  })

  it.skipIf(process.platform === 'win32')('are not read further when nobody knows their size beforehand', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('sh', ['-c', 'mkfifo "$0"', pipe])
    const writer = spawn('sh', ['-c', `head -c ${maxReferencedFileBytes + 1_000_000} /dev/zero > "$0"`, pipe], { stdio: 'ignore' })
    await expect(source().readFile('pipe')).rejects.toThrow(`has more than ${maxReferencedFileBytes} bytes`)
    await once(writer, 'close')
  })

  it('are watched, and nothing else in their folder', async () => {
    const file = join(folder, 'sallyport.yaml')
    writeFileSync(file, 'version: 1')
    writeFileSync(join(folder, 'ca.pem'), 'one')
    // Changes settle as soon as somebody waits for them.
    let settle: (() => void) | undefined
    let onNotice = (): void => {}
    const clock: Clock = {
      now: () => 0,
      elapsed: () => 0,
      after(_delayMs, callback) {
        settle = callback
        onNotice()
        return () => {}
      },
    }
    const watched = createConfigurationFile({ file, clock })
    await watched.readFile('ca.pem')
    let changes = 0
    const stop = watched.watch(() => void changes++)
    const witness = watch(folder)
    const change = async (name: string): Promise<void> => {
      const seen = once(witness, 'change')
      writeFileSync(join(folder, name), 'two')
      await seen
      await new Promise((resolve) => setImmediate(resolve))
    }
    await change('other.json')
    expect(settle).toBeUndefined()
    for (const name of ['ca.pem', 'sallyport.yaml', '..data']) {
      settle = undefined
      const noticed = new Promise<void>((resolve) => {
        onNotice = resolve
      })
      await change(name)
      await noticed
      ;(settle as (() => void) | undefined)?.()
    }
    expect(changes).toBe(3)
    stop()
    witness.close()
  })
})
