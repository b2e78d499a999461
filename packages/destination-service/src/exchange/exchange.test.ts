import { inflateRawSync } from 'node:zlib'
import { exchangeFormats } from '@sallyport/admin-api'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createExport } from './export-file.ts'
import { readImportFile } from './import-file.ts'

const nowMs = Date.UTC(2026, 0, 7, 10, 15, 30)
const orders = {
  Password: 'p',
  Name: 'orders-api',
  Type: 'HTTP',
  URL: 'https://orders.example.com',
  'jco.client.sysnr': '00',
  Preemptive: 'true',
  empty: '',
  clientKey: 'k',
}
const visible = {
  Type: 'HTTP',
  Name: 'orders-api',
  URL: 'https://orders.example.com',
  'jco.client.sysnr': '00',
  Preemptive: 'true',
  empty: '',
}

describe('exporting', () => {
  it.each(exchangeFormats)('%s: leaves secrets out and is read back as the same properties', (format) => {
    const file = createExport([orders], { format, nowMs })
    expect(file.name).toBe(`orders-api.${format}`)
    const [read] = readImportFile({ name: file.name, content: file.content })
    expect(read?.properties).toEqual(visible)
    expect(Object.keys(read?.properties ?? {}).slice(0, 2)).toEqual(['Type', 'Name'])
    expect(read?.removed).toEqual(format === 'properties' ? ['Password', 'clientKey'] : [])
  })

  it('JSON, YAML and properties carry every text', () => {
    const property = fc.string({ unit: 'grapheme', maxLength: 20 })
    fc.assert(
      fc.property(property, fc.constantFrom(...exchangeFormats), (value, format) => {
        const { name, content } = createExport([{ Type: 'TCP', Name: 'a', value }], { format, nowMs })
        expect(readImportFile({ name, content })[0]?.properties).toEqual({ Type: 'TCP', Name: 'a', value })
      }),
    )
  })

  it('puts several into an archive, each under a name that leads nowhere', () => {
    const names = ['a', 'A', '../../etc/passwd', '.hidden', 'C:\\x', 'ä b']
    const file = createExport(
      names.map((name) => ({ Name: name, Type: 'TCP', Address: 'x:1' })),
      { format: 'json', nowMs },
    )
    expect(file).toMatchObject({ name: 'export.zip', mediaType: 'application/zip' })
    const entries = readZip(file.content)
    expect(entries.map(({ name }) => name)).toEqual([
      'a.json',
      'A-2.json',
      '..%2F..%2Fetc%2Fpasswd.json'.replace(/^\./, '%2e'),
      '%2ehidden.json',
      'C%3A%5Cx.json',
      '%C3%A4%20b.json',
    ])
    expect(entries.map(({ text }) => (JSON.parse(text) as { Name: string }).Name)).toEqual(names)
  })

  it('calls a fragment by its name', () => {
    expect(createExport([{ FragmentName: 'f', URL: 'http://x' }], { format: 'yaml', nowMs })).toMatchObject({ name: 'f.yaml' })
  })
})

describe('importing', () => {
  it.each([[[orders, { ...orders, Name: 'b' }]], [[]]])('says of an archive what it is', (entities) => {
    const { content } = createExport(entities, { format: 'json', nowMs })
    for (const name of ['export.zip', 'renamed.json', ''])
      expect(() => readImportFile({ name, content })).toThrow(/is a ZIP archive; unpack it/)
  })

  it.each([
    ['a.json', '{"Name":"a","n":1}', { Name: 'a', n: 1 }],
    ['a', ' [{"Name":"a"}]', { Name: 'a' }],
    ['a.txt', '{"Name":"a"}', { Name: 'a' }],
    ['a.YAML', '- Name: a\n  sysnr: 00\n  b: yes\n', { Name: 'a', sysnr: '00', b: 'yes' }],
    ['a.yml', 'Name: a\nPassword: << Existing password/certificate removed on export >>\n', { Name: 'a' }],
    ['a.props', 'Name=a', { Name: 'a' }],
    ['', 'Name=a', { Name: 'a' }],
  ])('%j by its ending or its first character', (name, text, properties) => {
    expect(readImportFile({ name, content: Buffer.from(text) }).map((record) => record.properties)).toEqual([properties])
  })

  it('takes ISO 8859-1 for what it is, and passes over a byte order mark', () => {
    expect(readImportFile({ content: Buffer.from('Name=\xe4', 'latin1') })[0]?.properties).toEqual({ Name: 'ä' })
    expect(readImportFile({ content: Buffer.from('\ufeffName=ä', 'utf8') })[0]?.properties).toEqual({ Name: 'ä' })
  })

  it.each([
    ['a.json', '{"Name":"hunter2"', 'The file is not valid JSON'],
    ['a.json', '["hunter2"]', 'The file must hold the properties of a destination or fragment, or a list of such'],
    ['a.json', 'null', 'The file must hold the properties of a destination or fragment, or a list of such'],
    ['a.yaml', 'Name: hunter2\nName: b', 'The file is not valid YAML (line 2)'],
    ['a.yaml', 'a: &x [1]\nb: *x', 'The YAML file is more complex than a list of properties'],
    ['a.yaml', 'Name: a\n---\nName: b', 'The file must hold one YAML document'],
    ['a.yaml', '', 'The file must hold the properties of a destination or fragment, or a list of such'],
    ['a.properties', '# nothing\n', 'The file holds no properties'],
    ['a.json', JSON.stringify(Array.from({ length: 1_001 }, () => ({}))), 'A file can hold 1000 entries at most'],
    ['a', 'x'.repeat(1_048_577), 'A file to import must not be larger than 1048576 bytes'],
  ])('refuses what it cannot read and quotes nothing of it: %s %#', (name, text, message) => {
    expect(() => readImportFile({ name, content: Buffer.from(text) })).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
    expect(() => readImportFile({ name, content: Buffer.from(text) })).toThrow(message)
  })
})

describe('hostile YAML', () => {
  const lines = (count: number, line: (at: number) => string): string => Array.from({ length: count }, (_, at) => line(at)).join('\n')
  it.each([
    ['open brackets', '['.repeat(1_000_000)],
    ['open braces', '{a: '.repeat(250_000)],
    ['sequences in a line', '- '.repeat(500_000)],
    ['keys in a line', '? '.repeat(500_000)],
    ['values in a line', ': '.repeat(500_000)],
    ['levels', lines(1_400, (at) => `${' '.repeat(at)}a:`)],
    ['keys', lines(80_000, (at) => `k${at}: v`)],
    ['keys of one mapping', lines(9_000, (at) => `k${at}: v`)],
    ['keys in braces', `{${lines(9_000, (at) => `k${at}: v,`)}}`],
    ['anchors', '&a '.repeat(300_000)],
    ['errors', "a: 'x' y\n".repeat(100_000)],
    ['empty lines', '\n'.repeat(1_000_000)],
    ['documents', '---\n'.repeat(200_000)],
  ])('is refused before it costs much: %s', (_what, text) => {
    const startedMs = process.cpuUsage().user / 1000
    expect(() => readImportFile({ name: 'a.yaml', content: Buffer.from(text) })).toThrow(
      expect.objectContaining({ code: 'MESSAGE_INVALID' }),
    )
    expect(process.cpuUsage().user / 1000 - startedMs).toBeLessThan(2_000)
  })
})

/** Reads the archive by its directory, which is all that programs look at. */
function readZip(archive: Buffer): { readonly name: string; readonly text: string }[] {
  const end = archive.length - 22
  const entries: { name: string; text: string }[] = []
  for (let at = archive.readUInt32LE(end + 16), left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [packed, nameLength, offset] = [archive.readUInt32LE(at + 20), archive.readUInt16LE(at + 28), archive.readUInt32LE(at + 42)]
    const data = offset + 30 + archive.readUInt16LE(offset + 26)
    entries.push({
      name: archive.subarray(at + 46, at + 46 + nameLength).toString('utf8'),
      text: inflateRawSync(archive.subarray(data, data + packed)).toString('utf8'),
    })
    at += 46 + nameLength
  }
  return entries
}
