/** Length of an uploaded file of the administration API: certificates and key stores have some kilobytes, backups some megabytes. */
export const maxUploadBytes = 33_554_432

/** A JSON body of the administration API: a list of ten thousand blocked users. Beyond it the answer is 413. */
export const maxJsonBodyBytes = 1_048_576
/** Certificates that are signed with their own key are valid for a year, and from an hour ago on, as the original's are: clocks differ. */
export const selfSignedValidityMs = 31_536_000_000
export const selfSignedBackdateMs = 3_600_000
