const text = '[redacted]'

/** A value that prints, serialises and inspects as `[redacted]`. `reveal()` is the one way to it, and easy to search for. */
export interface Secret<T = string> {
  reveal(): T
  toString(): string
  toJSON(): string
}

/** Wraps a value so that logs, errors and JSON cannot show it by accident. */
export function createSecret<T>(value: T): Secret<T> {
  return Object.freeze({
    reveal: () => value,
    toString: () => text,
    toJSON: () => text,
    [Symbol.for('nodejs.util.inspect.custom')]: () => text,
  })
}
