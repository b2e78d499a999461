import { migrate, openDatabase } from '@sallyport/store'
import { describe, expect, it } from 'vitest'
import { connectivityDatabase } from './connectivity-proxy-part.ts'
import { destinationDatabase } from './destination-service-part.ts'
import { tokenDatabase } from './token-service-part.ts'

const databases = [tokenDatabase, destinationDatabase, connectivityDatabase]

describe('what backups and changes of keys know of the databases', () => {
  it.each(databases.map((database) => [database.name, database] as const))('is every table of the %s', async (_name, { parts }) => {
    const db = openDatabase<never>(':memory:')
    try {
      for (const { name, migrations } of parts) await migrate(db, migrations, { part: name })
      const existing = (await db.introspection.getTables()).filter(({ name }) => !name.startsWith('migrations_'))
      const known = parts.flatMap(({ tables }) => tables)
      expect(known.map(({ name }) => name).toSorted()).toEqual(existing.map(({ name }) => name).toSorted())
      for (const { name, key, sealed } of known) {
        const columns = existing.find((table) => table.name === name)?.columns.map((column) => column.name)
        expect(columns, name).toEqual(expect.arrayContaining([...key, ...sealed.map(({ column }) => column)]))
      }
    } finally {
      await db.destroy()
    }
  })

  it('has a name for every part and table that no other service uses, because with PostgreSQL they share a database', () => {
    const parts = databases.flatMap((database) => database.parts)
    const tables = parts.flatMap((part) => part.tables.map(({ name }) => name))
    expect(new Set(parts.map(({ name }) => name)).size).toBe(parts.length)
    expect(new Set(tables).size).toBe(tables.length)
  })
})
