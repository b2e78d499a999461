import type { Dial } from '@sallyport/core'
import { createMemoryPair } from '@sallyport/test-fixtures'

export const dial: Dial = () => Promise.resolve(createMemoryPair()[0])
