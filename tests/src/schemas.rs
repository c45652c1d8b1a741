//! JSON schemas of every kind that answers are held to, small enough for a short answer.

use portico_shared::sampling::uniform;
use serde_json::{Map, Value, json};

/// `n` schemas that differ, the same ones for the same seed.
pub fn varied(n: usize, seed: u64) -> Vec<Value> {
    (0..n).map(|at| Dice { seed: seed ^ ((at as u64) << 20), n_thrown: 0 }.root(at)).collect()
}

struct Dice {
    seed: u64,
    n_thrown: u32,
}

const NAMES: [&str; 12] = [
    "name", "age", "city", "Straße", "tags", "is_open", "price", "id", "note", "größe", "date",
    "a b",
];

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.n_thrown += 1;
        (uniform(self.seed, self.n_thrown) * n as f32) as usize
    }

    fn root(&mut self, at: usize) -> Value {
        let mut schema = match at % 16 {
            0..=8 => self.object(2),
            9..=11 => self.array(2),
            12 => self.scalar(),
            13 => self.choice(),
            _ => self.referring(),
        };
        if at.is_multiple_of(5) {
            schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
            schema["title"] = json!(format!("Form {at}"));
        }
        schema
    }

    fn any(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0..=4 => self.scalar(),
            5 => self.choice(),
            6 | 7 => self.object(depth - 1),
            _ => self.array(depth - 1),
        }
    }

    fn scalar(&mut self) -> Value {
        let low = self.below(40) as i64 - 20;
        match self.below(16) {
            0 => json!({ "type": "string", "maxLength": 1 + self.below(12) }),
            1 => json!({ "type": "string", "minLength": 2, "maxLength": 3 + self.below(9) }),
            2 => json!({ "type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$" }),
            3 => json!({ "type": "string", "pattern": "^(ja|nein|vielleicht)$" }),
            4 => json!({ "type": "string", "format": "date" }),
            5 => json!({ "type": "string", "format": "time" , "maxLength": 20 }),
            6 => json!({ "type": "string", "format": "ipv4" }),
            7 => json!({ "type": "integer", "minimum": low, "maximum": low + 30 }),
            8 => {
                json!({ "type": "integer", "exclusiveMinimum": 0, "maximum": 9_999, "multipleOf": 5 })
            }
            9 => json!({ "type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.25 }),
            10 => json!({ "type": "boolean" }),
            11 => json!({ "type": "null" }),
            12 => json!({ "type": ["integer", "null"], "minimum": 1, "maximum": 12 }),
            13 => json!({ "const": "fest \"und\" wörtlich" }),
            14 => json!({ "enum": ["rot", "grün", 3, null, true, { "a": [1] }] }),
            _ => json!({ "type": "string", "enum": ["low", "medium", "high"] }),
        }
    }

    fn choice(&mut self) -> Value {
        match self.below(3) {
            0 => {
                json!({ "anyOf": [self.scalar(), { "type": "array", "items": { "type": "boolean" }, "maxItems": 2 }] })
            }
            1 => json!({ "oneOf": [
                { "type": "object", "properties": { "kind": { "const": "a" }, "n": { "enum": [1, 2] } },
                  "required": ["kind", "n"], "additionalProperties": false },
                { "type": "object", "properties": { "kind": { "const": "b" } },
                  "required": ["kind"], "additionalProperties": false },
            ] }),
            _ => json!({ "allOf": [
                { "type": "object", "properties": { "x": { "type": "boolean" } }, "required": ["x"] },
                { "type": "object", "properties": { "y": { "enum": ["p", "q"] } }, "required": ["y"] },
            ], "maxProperties": 2 }),
        }
    }

    fn object(&mut self, depth: usize) -> Value {
        let n = 1 + self.below(3);
        let from = self.below(NAMES.len());
        let names: Vec<&str> = (0..n).map(|i| NAMES[(from + i * 5) % NAMES.len()]).collect();
        let properties: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), self.any(depth))).collect();
        let n_required = self.below(n + 1);
        let required: Vec<&str> = names.iter().copied().take(n_required).collect();
        let mut schema =
            json!({ "type": "object", "properties": properties, "required": required });
        match self.below(4) {
            // Counting properties is supported where none may be missing.
            0 => {
                schema["required"] = json!(names);
                schema["additionalProperties"] =
                    json!({ "type": "integer", "minimum": 0, "maximum": 9 });
                schema["maxProperties"] = json!(n + 1);
            }
            _ => schema["additionalProperties"] = json!(false),
        }
        schema
    }

    fn array(&mut self, depth: usize) -> Value {
        let n_min = self.below(3);
        match self.below(3) {
            0 => {
                json!({ "type": "array", "prefixItems": [self.scalar(), self.scalar()], "items": false,
                "minItems": 2 })
            }
            _ => json!({ "type": "array", "items": self.any(depth), "minItems": n_min,
                "maxItems": n_min + 1 }),
        }
    }

    fn referring(&mut self) -> Value {
        if self.below(2) == 0 {
            return json!({
                "$defs": { "person": { "type": "object", "properties": { "name": { "type": "string", "maxLength": 8 },
                    "more": self.scalar() },
                    "required": ["name"], "additionalProperties": false } },
                "type": "array", "items": { "$ref": "#/$defs/person" }, "minItems": self.below(2), "maxItems": 2,
            });
        }
        // A tree, at most three deep.
        let leaf = json!({ "type": "object", "properties": { "v": self.scalar() }, "required": ["v"],
            "additionalProperties": false });
        json!({
            "$defs": { "leaf": leaf, "twig": { "type": "array", "items": { "$ref": "#/$defs/leaf" }, "maxItems": 2 } },
            "type": "object", "properties": { "tree": { "$ref": "#/$defs/twig" } }, "required": ["tree"],
            "additionalProperties": false,
        })
    }
}
