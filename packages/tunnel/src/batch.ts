/** Something that gathers writes until the turn of the event loop ends. */
export interface Batched {
  endTurn(): void
}

let waiting: Batched[] = []

function endTurn(): void {
  const due = waiting
  waiting = []
  for (const one of due) one.endTurn()
}

/**
 * Calls `endTurn` once this turn of the event loop has handled all its input. Everything that was written meanwhile then
 * leaves in one system call and one TLS record, which is worth a third to a half of the bulk throughput.
 *
 * The list is shared by all connections of the process: one immediate per turn instead of one per socket. It is empty between turns.
 */
export function atEndOfTurn(batched: Batched): void {
  if (waiting.length === 0) setImmediate(endTurn)
  waiting.push(batched)
}
