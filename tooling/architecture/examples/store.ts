export const key: Buffer = Buffer.alloc(32, 1)
