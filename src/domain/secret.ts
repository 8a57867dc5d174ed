const inspect = Symbol.for('nodejs.util.inspect.custom');
const hidden = '[secret]';

/**
 * Text that must not be seen: a token, a client secret, a key. It prints as `[secret]` in a log, in an error,
 * in a template and in JSON. Only `reveal` gives the text, so every place that lets it out can be found by name.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [inspect](): string {
    return hidden;
  }
}
