import { expect, it, describe } from 'vitest'
import { skipUnless, startPostgres } from '../src/index.ts'

describe.skipIf(skipUnless('postgres', 'initdb', 'psql'))('a private PostgreSQL', () => {
  it('has databases of their own, and keeps what was committed over a crash and a halt', async () => {
    await using postgres = await startPostgres()
    const [first, second] = [new URL(await postgres.createDatabase()), new URL(await postgres.createDatabase())]
    expect(first.pathname).not.toBe(second.pathname)
    const database = first.pathname.slice(1)
    await postgres.run('create table kept (id int); insert into kept values (7)', database)
    await postgres.crash()
    await expect(postgres.run('select 1')).rejects.toThrow(/psql/)
    await postgres.start()
    expect(await postgres.run('select id from kept', database)).toBe('7')
    await postgres.halt()
    await postgres.start()
    expect(await postgres.run('select id from kept', database)).toBe('7')
    expect(await postgres.run(`select count(*) from pg_class where relname = 'kept'`, second.pathname.slice(1))).toBe('0')
  })

  it('reports settings that it does not accept', async () => {
    await expect(startPostgres({ settings: { no_such_setting: '1' } })).rejects.toThrow(/no_such_setting/)
  })
})
