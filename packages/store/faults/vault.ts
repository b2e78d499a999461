import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { KeyManagementSystem, StoredTable } from '@sallyport/core'
import { type Database, dataKeyMigrations, dataKeyPart, migrate, openDatabase } from '@sallyport/store'

export interface VaultSchema {
  readonly treasure: { readonly name: string; readonly content: string }
  readonly sealing_data_key: { readonly customer_key_id: string | null }
  readonly sealing_customer_key: { readonly id: string; readonly key_name: string }
}

export const vaultMaster: Buffer = Buffer.alloc(32, 3)

export const treasureTable: StoredTable = {
  name: 'treasure',
  key: ['name'],
  sealed: [{ column: 'content', subaccount: () => 'a', context: (row) => String(row['name']) }],
}

export async function openVault(file: string): Promise<Database<VaultSchema>> {
  const db = openDatabase<VaultSchema>(file)
  await migrate(db, dataKeyMigrations, { part: dataKeyPart })
  await migrate(db, {
    '0001-treasure': {
      up: (schema) =>
        schema.schema
          .createTable('treasure')
          .addColumn('name', 'text', (column) => column.primaryKey())
          .addColumn('content', 'text')
          .execute(),
    },
  })
  return db
}

/** Keys that every process has, since they follow from their names. */
export function vaultSystem(): KeyManagementSystem {
  return {
    key(name) {
      const secret = createHash('sha256').update(name).digest()
      return {
        async wrap(plaintext) {
          const nonce = randomBytes(12)
          const cipher = createCipheriv('aes-256-gcm', secret, nonce)
          return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString('base64')
        },
        async unwrap(wrapped) {
          const bytes = Buffer.from(wrapped, 'base64')
          const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, 12), { authTagLength: 16 })
          decipher.setAuthTag(bytes.subarray(-16))
          return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
        },
        describe: async () => ({}),
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
