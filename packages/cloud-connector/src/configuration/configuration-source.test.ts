import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@sallyport/core'
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
})
