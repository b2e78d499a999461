import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { formatPropertiesFile, parsePropertiesFile } from '../src/exchange/properties-file.ts'

const java = ((): string | undefined => {
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' })
    return undefined
  } catch {
    if (process.env['REQUIRE_REAL'] === '1') throw new Error('java is missing, and REQUIRE_REAL is set')
    return 'java is not installed'
  }
})()

/** Reads a file, prints every entry as two hexadecimal texts, and stores the same again. */
const program = `
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
class Reread {
  public static void main(String[] args) throws Exception {
    Properties read = new Properties();
    try (InputStream in = new FileInputStream(args[0])) { read.load(in); }
    for (String name : new TreeSet<>(read.stringPropertyNames())) System.out.println(hex(name) + " " + hex(read.getProperty(name)));
    try (OutputStream out = new FileOutputStream(args[1])) { read.store(out, "first\\nsecond"); }
  }
  static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_16BE));
  }
}`

const folder = mkdtempSync(join(tmpdir(), 'sallyport-java-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(java !== undefined)('java.util.Properties', () => {
  it('reads what we write, and we read what it writes', { timeout: 60_000 }, () => {
    const properties: Record<string, string> = {
      URL: 'https://orders.example.com:443/a?b=c#d!',
      'a key with = and : and #': ' leading and trailing ',
      path: 'C:\\users\\new\\temp',
      lines: 'one\r\ntwo\ttab\fform\\',
      'ünïcode 😀': '\u0000\u0007\u00a0\u20ac\u{1f511}',
      empty: '',
      '!bang': '#hash',
    }
    const [ours, theirs, source] = [join(folder, 'ours.properties'), join(folder, 'theirs.properties'), join(folder, 'Reread.java')]
    writeFileSync(ours, formatPropertiesFile(Object.entries(properties), { removed: ['Password', 'x\ny'], nowMs: 0 }))
    writeFileSync(source, program)
    const printed = execFileSync('java', [source, ours, theirs], { encoding: 'utf8' })
    const text = (hex: string): string => Buffer.from(hex, 'hex').swap16().toString('utf16le')
    const read = Object.fromEntries(
      printed
        .trim()
        .split('\n')
        .map((line) => line.split(' ').map(text) as [string, string])
        .map(([key, value]) => [key, value ?? '']),
    )
    expect(read).toEqual(properties)
    expect(parsePropertiesFile(execFileSync('cat', [theirs], { encoding: 'latin1' })).properties).toEqual(properties)
  })
})
