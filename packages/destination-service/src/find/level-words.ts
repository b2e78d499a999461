import { type Caller, type LevelName, levelNames, levelOf } from '../access/caller.ts'
import type { Level } from '../entities/entity-repository.ts'
import { malformed } from '../http/answer.ts'

/** A name with the level that follows its last `@`. */
export interface LeveledName {
  readonly name: string
  readonly word: LevelName | undefined
}

/** @throws ConnectivityError `MESSAGE_INVALID` for a level that does not exist. */
export function parseLeveledName(reference: string, what: 'destination' | 'fragment'): LeveledName {
  const at = reference.lastIndexOf('@')
  if (at === -1) return { name: reference, word: undefined }
  const word = reference.slice(at + 1)
  if (!isLevelName(word)) throw malformed(`The level of a ${what} must be one of ${levelNames.join(', ')}`)
  return { name: reference.slice(0, at), word }
}

/**
 * The level of a fragment: the one that its name says, else that of the destination. For a subscriber the subaccount's own entities and those of instances
 * and the provider do not go together.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for a combination that is not allowed.
 */
export function fragmentLevel(caller: Caller, fragment: LeveledName, destination: LevelName): Level {
  const word = fragment.word ?? destination
  if (!caller.isProvider && word !== destination && (word === 'subaccount' || destination === 'subaccount')) {
    throw malformed(`A fragment of the level ${word} cannot be combined with a destination of the level ${destination}`)
  }
  return levelOf(caller, word)
}

function isLevelName(word: string): word is LevelName {
  return (levelNames as readonly string[]).includes(word)
}
