use super::*;

fn listed(ids: &[u32]) -> Vec<Listed<u32>> {
    ids.iter().map(|&id| Listed { id, sureness: 1.0 }).collect()
}

fn ids(fused: &[Fused<u32>]) -> Vec<u32> {
    fused.iter().map(|f| f.id).collect()
}

#[test]
fn what_both_lists_have_comes_before_what_one_has() {
    let fused = Fusion::default().fuse(&listed(&[1, 2, 3]), &listed(&[4, 2, 5]));
    assert_eq!(fused[0].id, 2);
    assert_eq!((fused[0].full_text_rank, fused[0].vector_rank), (Some(2), Some(2)));
    let four = fused.iter().find(|f| f.id == 4).unwrap();
    assert_eq!((four.full_text_rank, four.vector_rank), (None, Some(1)));
}

#[test]
fn scores_are_reciprocal_ranks() {
    let fusion = Fusion { k: 60.0, full_text_weight: 2.0, vector_weight: 1.0 };
    let fused = fusion.fuse(&listed(&[7]), &listed(&[8, 7]));
    assert!((fused[0].score - (2.0 / 61.0 + 1.0 / 62.0)).abs() < 1e-7);
    assert!((fused[1].score - 1.0 / 61.0).abs() < 1e-7);
}

#[test]
fn one_list_keeps_its_order() {
    let fusion = Fusion::default();
    assert_eq!(ids(&fusion.fuse(&listed(&[3, 1, 2]), &[])), [3, 1, 2]);
    assert_eq!(ids(&fusion.fuse(&[], &listed(&[3, 1, 2]))), [3, 1, 2]);
    assert_eq!(ids(&fusion.fuse(&[], &[])), [] as [u32; 0]);
}

#[test]
fn an_unsure_list_counts_less_and_a_repeated_id_once() {
    let guess = [Listed { id: 1, sureness: 0.05 }];
    let fused = Fusion::default().fuse(&guess, &listed(&[2, 2, 3]));
    assert_eq!(ids(&fused), [2, 3, 1]);
    assert_eq!(fused[0].vector_rank, Some(1));
}

#[test]
fn a_weight_of_nothing_leaves_the_other_lists_order() {
    let fusion = Fusion { full_text_weight: 0.0, ..Fusion::default() };
    assert_eq!(ids(&fusion.fuse(&listed(&[9, 1]), &listed(&[3, 2, 1]))), [3, 2, 1, 9]);
}

fn at(id: u32, document: u32, ordinal: u32) -> Neighbour<u32, u32> {
    Neighbour { id, document, ordinal }
}

#[test]
fn neighbours_are_joined_in_reading_order_at_the_best_place() {
    let found = [at(1, 1, 5), at(2, 2, 0), at(3, 1, 4), at(4, 1, 6), at(5, 1, 9)];
    let groups = joined(&found, 8);
    let ids: Vec<Vec<u32>> = groups.iter().map(|g| g.iter().map(|p| p.id).collect()).collect();
    assert_eq!(ids, [vec![3, 1, 4], vec![2], vec![5]]);
}

#[test]
fn a_passage_between_two_groups_joins_them() {
    let found = [at(1, 1, 0), at(2, 1, 2), at(3, 1, 1)];
    let groups = joined(&found, 8);
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].iter().map(|p| p.ordinal).collect::<Vec<_>>(), [0, 1, 2]);
    let groups = joined(&found, 2);
    assert_eq!(groups.len(), 2);
}

#[test]
fn other_documents_are_never_joined() {
    assert_eq!(joined(&[at(1, 1, 0), at(2, 2, 1)], 8).len(), 2);
    assert_eq!(joined(&[at(1, 1, u32::MAX), at(2, 1, 0)], 8).len(), 2);
}

#[test]
fn a_repeated_text_is_left_out_and_another_document_preferred() {
    let text = "Der Beitrag beträgt sechzig Euro im Jahr";
    let longer = "Der Beitrag beträgt sechzig Euro im Jahr und wird im März eingezogen";
    let other = "Ehrenmitglieder zahlen keinen Beitrag nach Beschluss der Versammlung";
    let candidates = [
        Candidate { score: 1.0, text, document: 1 },
        Candidate { score: 0.99, text, document: 2 },
        Candidate { score: 0.98, text: longer, document: 1 },
        Candidate { score: 0.9, text: other, document: 2 },
    ];
    assert_eq!(spread(&candidates, 10, &Spread::default()), [0, 3]);
    assert_eq!(spread(&candidates, 1, &Spread::default()), [0]);
    assert_eq!(spread(&[], 3, &Spread::default()), [] as [usize; 0]);
}

#[test]
fn without_spread_the_order_stays() {
    let candidates = [1.0, 0.9, 0.8].map(|score| Candidate {
        score,
        text: "ein und derselbe Text",
        document: 1,
    });
    let none = Spread { repetition: 0.0, same_document: 0.0, duplicate: 1.0 };
    assert_eq!(spread(&candidates, 3, &none), [0, 1, 2]);
}

#[test]
fn what_does_not_fit_is_passed_over() {
    assert_eq!(within_budget(&[300, 500, 150], 20, 500), [0, 2]);
    assert_eq!(within_budget(&[300], 0, 300), [0]);
    assert_eq!(within_budget(&[300], 1, 300), [] as [usize; 0]);
    assert_eq!(within_budget(&[u32::MAX], 1, u32::MAX), [] as [usize; 0]);
}

#[test]
fn a_request_needs_only_its_query() {
    let request: SearchRequest = serde_json::from_str(r#"{"query":"Beitrag"}"#).unwrap();
    assert_eq!(request, SearchRequest { query: "Beitrag".into(), ..SearchRequest::default() });
    let request: SearchRequest = serde_json::from_str(
        r#"{"query":"x","filter":{"types":["text/plain"],"from":5},"mode":"full_text"}"#,
    )
    .unwrap();
    assert_eq!(request.filter.from, Some(5));
    assert_eq!(request.mode, SearchMode::FullText);
}
