/** Text of a system that is kept in an error. */
export const maxErrorCharacters = 500
