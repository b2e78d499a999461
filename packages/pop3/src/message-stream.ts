import { Readable } from 'node:stream'
import { endedError } from './pop3-errors.ts'
import type { Dialogue } from './dialogue.ts'

/**
 * The body that a dialogue is about to receive, as a stream: it is read from the server as fast as from here. Destroyed before
 * its end it ends the dialogue, because only its end tells where the next answer begins.
 */
export function createMessageStream(dialogue: Dialogue, maxBytes: number, name: string): Readable {
  const parts = dialogue.readBody(maxBytes)
  let complete = false
  return new Readable({
    read() {
      parts.next().then(
        ({ done, value }) => {
          complete = done === true
          this.push(complete ? null : value)
        },
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, callback) {
      if (!complete) dialogue.fail(endedError(name))
      callback(error)
    },
  })
}
