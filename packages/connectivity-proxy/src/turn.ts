/** Something that gathers writes until the turn of the event loop ends. */
export interface TurnMember {
  endTurn(): void
}

let turn = 0
let isScheduled = false
let members: TurnMember[] = []

function end(): void {
  const due = members
  members = []
  isScheduled = false
  turn += 1
  for (const one of due) one.endTurn()
}

/** Number of the present turn of the event loop; whoever writes twice in the same one does well to gather. */
export function currentTurn(): number {
  if (!isScheduled) {
    isScheduled = true
    setImmediate(end)
  }
  return turn
}

/** Calls `endTurn` when this turn has handled all its input. One immediate serves all connections of the process. */
export function atEndOfTurn(member: TurnMember): void {
  members.push(member)
}
