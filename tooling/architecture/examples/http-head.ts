import { PassThrough } from 'node:stream'

export const chunk: Buffer = Buffer.from('GET http://erp:80/sap HTTP/1.1\r\nHost: erp\r\n\r\n')
export const backend: PassThrough = new PassThrough()
export const socket: Pick<PassThrough, 'end'> = new PassThrough()
export const answer = (status: number, reason: string): void => void socket.end(`${status} ${reason}`)
