import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import { archivePieceBytes, sealNonceBytes, sealTagBytes } from '../limits.ts'

/**
 * The content of an archive is cut into pieces, each sealed with AES-256-GCM: one byte that is 1 in the last piece, four bytes with the length, ciphertext,
 * tag. The nonce counts the pieces; header and mark are authenticated with each, so that no piece can be changed, moved, left out or added, and an archive
 * that was cut short shows.
 */
const frameBytes = 5

/** Encrypts; the key must be used for one archive only. */
export async function* encryptPieces(content: AsyncIterable<Buffer>, key: Buffer, headerLine: Buffer): AsyncGenerator<Buffer> {
  const header = digestOf(headerLine)
  let index = 0
  let waiting: Buffer[] = []
  let waitingBytes = 0
  const seal = (plain: Buffer, last: boolean): Buffer => {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index), { authTagLength: sealTagBytes })
    const frame = Buffer.alloc(frameBytes)
    frame.writeUInt8(last ? 1 : 0, 0)
    frame.writeUInt32BE(plain.length + sealTagBytes, 1)
    cipher.setAAD(Buffer.concat([header, frame]))
    index += 1
    return Buffer.concat([frame, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  }
  for await (const chunk of content) {
    waiting.push(chunk)
    waitingBytes += chunk.length
    if (waitingBytes < archivePieceBytes) continue
    let whole = Buffer.concat(waiting)
    for (; whole.length >= archivePieceBytes; whole = whole.subarray(archivePieceBytes))
      yield seal(whole.subarray(0, archivePieceBytes), false)
    waiting = [whole]
    waitingBytes = whole.length
  }
  yield seal(Buffer.concat(waiting), true)
}

/** Decrypts what follows the header. @throws ConnectivityError `MESSAGE_INVALID` when the key is wrong, or anything was changed or is missing. */
export async function* decryptPieces(content: AsyncIterable<Buffer>, key: Buffer, headerLine: Buffer): AsyncGenerator<Buffer> {
  const header = digestOf(headerLine)
  let index = 0
  let ended = false
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of content) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    for (;;) {
      if (ended && held.length > 0) throw damaged('something follows its end')
      if (held.length < frameBytes) break
      const length = held.readUInt32BE(1)
      if (length < sealTagBytes || length > archivePieceBytes + sealTagBytes) throw damaged('a piece has an impossible length')
      if (held.length < frameBytes + length) break
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index), { authTagLength: sealTagBytes })
      decipher.setAAD(Buffer.concat([header, held.subarray(0, frameBytes)]))
      decipher.setAuthTag(held.subarray(frameBytes + length - sealTagBytes, frameBytes + length))
      let plain: Buffer
      try {
        plain = Buffer.concat([decipher.update(held.subarray(frameBytes, frameBytes + length - sealTagBytes)), decipher.final()])
      } catch {
        // GCM says no more than that it does not fit.
        throw index === 0
          ? new ConnectivityError('MESSAGE_INVALID', 'the backup does not open: the password is wrong, or the file was changed')
          : damaged('a piece was changed')
      }
      ended = held.readUInt8(0) === 1
      held = held.subarray(frameBytes + length)
      index += 1
      yield plain
    }
  }
  if (!ended) throw damaged('its end is missing')
}

function nonceOf(index: number): Buffer {
  const nonce = Buffer.alloc(sealNonceBytes)
  nonce.writeUInt32BE(index, sealNonceBytes - 4)
  return nonce
}

function digestOf(headerLine: Buffer): Buffer {
  return createHash('sha256').update(headerLine).digest()
}

function damaged(how: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `the backup is damaged: ${how}`)
}
