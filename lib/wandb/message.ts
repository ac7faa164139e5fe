// Protobuf messages declared as tables of fields; the TypeScript types follow from the table.

import { ProtoReader, ProtoWriter, WireType } from "./protobuf.ts";

/** One field of a message: how it is written when present, and how it is read. */
export interface Field<Given, Read> {
  readonly number: number;
  readonly wireType: number;
  /** The value of an absent field; undefined for a message. */
  absent(): Read;
  write(writer: ProtoWriter, value: Given): void;
  read(reader: ProtoReader, previous: Read): Read;
}

type Fields = Record<string, Field<unknown, unknown>>;

/** What `encode` takes: every field may be left out, as in proto3. */
export type Given<F extends Fields> = { readonly [K in keyof F]?: F[K] extends Field<infer G, unknown> ? G : never };

/** What `decode` returns: scalars and lists are always there, messages only when they were sent. */
export type Decoded<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer _, infer R> ? R : never };

/** A message type; `encode` skips fields that hold proto3's default, `decode` skips fields it does not know. */
export interface Message<GivenValue, DecodedValue> {
  encode(value: GivenValue): Uint8Array;
  write(writer: ProtoWriter, value: GivenValue): void;
  /** Throws `bad-protobuf` when the bytes are no message. */
  decode(bytes: Uint8Array): DecodedValue;
}

/** Declares a message by its fields. */
export function message<F extends Fields>(fields: F): Message<Given<F>, Decoded<F>> {
  const names = Object.keys(fields);
  const nameByNumber = new Map(names.map((name) => [fields[name].number, name]));

  const write = (writer: ProtoWriter, value: Given<F>): void => {
    for (const name in value) {
      const given = value[name];
      if (given !== undefined) fields[name].write(writer, given);
    }
  };

  return {
    write,
    encode(value) {
      const writer = new ProtoWriter();
      write(writer, value);
      return writer.bytes.slice();
    },
    decode(bytes) {
      const decoded: Record<string, unknown> = {};
      for (const name of names) {
        const absent = fields[name].absent();
        if (absent !== undefined) decoded[name] = absent;
      }
      const reader = new ProtoReader(bytes);
      while (!reader.done) {
        const { field: number, wireType } = reader.tag();
        const name = nameByNumber.get(number);
        if (name !== undefined && fields[name].wireType === wireType) {
          decoded[name] = fields[name].read(reader, decoded[name]);
        } else {
          reader.skip(wireType);
        }
      }
      return decoded as Decoded<F>;
    },
  };
}

/** int32, int64, uint64 and enums: one varint on the wire. */
export function int(number: number): Field<number, number> {
  return scalar(number, WireType.varint, 0, (writer, value) => writer.varint(value), (reader) => reader.varint());
}

export function bool(number: number): Field<boolean, boolean> {
  const write = (writer: ProtoWriter, value: boolean): void => writer.varint(value ? 1 : 0);
  return scalar(number, WireType.varint, false, write, (reader) => reader.varint() !== 0);
}

export function double(number: number): Field<number, number> {
  return scalar(number, WireType.fixed64, 0, (writer, value) => writer.double(value), (reader) => reader.double());
}

export function string(number: number): Field<string, string> {
  const write = (writer: ProtoWriter, value: string): void => writer.string(value);
  return scalar(number, WireType.lengthDelimited, "", write, (reader) => reader.string());
}

/** A nested message. */
export function sub<G, D>(number: number, type: Message<G, D>): Field<G, D | undefined> {
  return {
    number,
    wireType: WireType.lengthDelimited,
    absent: () => undefined,
    write(writer, value) {
      writer.tag(number, WireType.lengthDelimited);
      writer.lengthDelimited(() => type.write(writer, value));
    },
    read: (reader) => type.decode(reader.rawBytes()),
  };
}

/** A list of messages. */
export function repeated<G, D>(number: number, type: Message<G, D>): Field<readonly G[], D[]> {
  const element = sub(number, type);
  return {
    number,
    wireType: WireType.lengthDelimited,
    absent: () => [],
    write: (writer, values) => values.forEach((value) => element.write(writer, value)),
    read: (reader, previous) => append(previous, type.decode(reader.rawBytes())),
  };
}

export function repeatedString(number: number): Field<readonly string[], string[]> {
  return {
    number,
    wireType: WireType.lengthDelimited,
    absent: () => [],
    write(writer, values) {
      for (const value of values) {
        writer.tag(number, WireType.lengthDelimited);
        writer.string(value);
      }
    },
    read: (reader, previous) => append(previous, reader.string()),
  };
}

function scalar<T>(
  number: number,
  wireType: number,
  absent: T,
  writeValue: (writer: ProtoWriter, value: T) => void,
  read: (reader: ProtoReader) => T,
): Field<T, T> {
  return {
    number,
    wireType,
    absent: () => absent,
    write(writer, value) {
      if (value === absent) return;
      writer.tag(number, wireType);
      writeValue(writer, value);
    },
    read,
  };
}

function append<T>(list: T[], value: T): T[] {
  list.push(value);
  return list;
}
