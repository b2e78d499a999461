/** All credentials of one unit with their names: what systemd hands over (`CREDENTIALS_TOTAL_SIZE_MAX`). More, and the service does not start. */
export const maxCredentialBytes = 1_048_576
