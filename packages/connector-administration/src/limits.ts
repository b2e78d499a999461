/** Length of an uploaded file of the administration API: certificates and key stores have some kilobytes, backups some megabytes. */
export const maxUploadBytes = 33_554_432
