import type { AbapFunction } from './abap-function.ts'
import type { Dictionary } from './dictionary.ts'
import { everyTypeDictionary, everyTypeFunction } from './every-type-function.ts'
import { standardDictionary, standardFunctions } from './standard-functions.ts'

/** The function modules of the fixture system, besides those that tell interfaces. */
export const abapFunctions: readonly AbapFunction[] = [...standardFunctions, everyTypeFunction]

/** The structures and table types that they are declared with. */
export const abapDictionary: Dictionary = { ...standardDictionary, ...everyTypeDictionary }
