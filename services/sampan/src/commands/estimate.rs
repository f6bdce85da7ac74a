//! `sampan estimate`.

use std::collections::BTreeSet;
use std::sync::Arc;

use sampan_billing_service::{Billing, storage_classes};
use sampan_core::clock;
use sampan_proto::billing::v1 as pb;
use sampan_proto::billing::v1::billing_estimator_service_client::BillingEstimatorServiceClient;
use sampan_proto::export::v1 as export_pb;
use tonic::Status;

use super::export::output_failure;
use crate::cli::{AnswerArgs, Compare, DEFAULT_ENDPOINT, EstimateCommand, EstimateOutput};
use crate::client::{Client, Failure, Wire};
use crate::exit::Exit;
use crate::output::estimate::{self as output, Answer};
use crate::wiring::load_prices;

/// Most prices that a server sends at once.
const PAGE: i32 = 1_000;

/// Estimates here, or asks a server, and prints the answer.
///
/// # Errors
/// [`Failure`] when the request or the price file is refused, or the server does not answer.
pub async fn estimate(command: EstimateCommand) -> Result<Exit, Failure> {
    let answering = command.answering();
    if let EstimateCommand::Export(args) = &command
        && let Some(request) = args.about_image()
    {
        let answer = about_image(answering, request).await?;
        match answering.output {
            EstimateOutput::Table => output::table(&answer),
            EstimateOutput::Json => output::json(&answer),
            EstimateOutput::Csv => output::csv(&[(String::new(), answer)]),
        }
        .map_err(output_failure)?;
        return Ok(Exit::Done);
    }
    let mut estimator = Estimator::open(answering).await?;
    let question = match &command {
        EstimateCommand::Export(args) => Question::Export(args.request()),
        EstimateCommand::Copy(args) => Question::Copy(args.request()),
        EstimateCommand::Download(args) => Question::Download(args.request()),
    };
    match answering.compare {
        None => {
            let answer = estimator.answer(&question).await?;
            match answering.output {
                EstimateOutput::Table => output::table(&answer),
                EstimateOutput::Json => output::json(&answer),
                EstimateOutput::Csv => output::csv(&[(String::new(), answer)]),
            }
        }
        Some(compare) => {
            let mut answers = Vec::new();
            for (name, question) in alternatives(&mut estimator, compare, &question).await? {
                answers.push((name, estimator.answer(&question).await?));
            }
            match answering.output {
                EstimateOutput::Table => output::comparison(compare, &answers),
                EstimateOutput::Json => output::comparison_json(compare, &answers),
                EstimateOutput::Csv => output::csv(&answers),
            }
        }
    }
    .map_err(output_failure)?;
    Ok(Exit::Done)
}

/// Asks the export service, which reads the disks of an image from the cloud.
async fn about_image(args: &AnswerArgs, request: export_pb::EstimateExportRequest) -> Result<Answer, Failure> {
    let named = args.endpoint.clone().or_else(|| std::env::var("SAMPAN_ENDPOINT").ok());
    let endpoint = named.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
    let client = Client::connect_to(&endpoint, &args.connection).await?;
    let estimate = client.exports().estimate_export(request).await?.into_inner().estimate;
    let estimate = estimate.ok_or_else(|| Failure::new(Exit::Failed, "the server answered without an estimate"))?;
    Ok(Answer { estimate, stale_prices: Vec::new() })
}

/// What is to be estimated.
#[derive(Debug, Clone)]
enum Question {
    Export(pb::EstimateExportRequest),
    Copy(pb::EstimateCopyRequest),
    Download(pb::EstimateDownloadRequest),
}

impl Question {
    fn list(&self) -> (i32, i32) {
        match self {
            Self::Export(request) => (request.cloud, request.site),
            Self::Copy(request) => (request.cloud, request.site),
            Self::Download(request) => (request.cloud, request.site),
        }
    }

    /// The fee without which a region says nothing.
    fn main_item(&self) -> &'static str {
        match self {
            Self::Export(_) | Self::Download(_) => "storage",
            Self::Copy(_) => "snapshot",
        }
    }

    fn in_region(&self, region: &str) -> Self {
        let region = region.to_owned();
        match self.clone() {
            Self::Export(request) => Self::Export(pb::EstimateExportRequest { region, ..request }),
            Self::Copy(request) => Self::Copy(pb::EstimateCopyRequest { destination_regions: vec![region], ..request }),
            Self::Download(request) => Self::Download(pb::EstimateDownloadRequest { region, ..request }),
        }
    }

    fn in_class(&self, class: &str) -> Option<Self> {
        let storage_class = class.to_owned();
        match self.clone() {
            Self::Export(request) => Some(Self::Export(pb::EstimateExportRequest { storage_class, ..request })),
            Self::Copy(_) => None,
            Self::Download(request) => Some(Self::Download(pb::EstimateDownloadRequest { storage_class, ..request })),
        }
    }
}

async fn alternatives(
    estimator: &mut Estimator,
    compare: Compare,
    question: &Question,
) -> Result<Vec<(String, Question)>, Failure> {
    let (cloud, site) = question.list();
    match compare {
        Compare::Region => {
            let regions = estimator.regions(cloud, site, question.main_item()).await?;
            Ok(regions.into_iter().map(|region| (region.clone(), question.in_region(&region))).collect())
        }
        Compare::StorageClass => {
            let cloud = if cloud == i32::from(sampan_proto::image::v1::Cloud::Tencent) {
                sampan_core::Cloud::Tencent
            } else {
                sampan_core::Cloud::Alibaba
            };
            let classes = storage_classes(cloud);
            let named = classes.filter_map(|class| Some((class.to_owned(), question.in_class(class)?)));
            let named: Vec<_> = named.collect();
            if named.is_empty() {
                return Err(Failure::new(Exit::Usage, "a copy has no storage class to compare")
                    .advice("compare regions with --compare region"));
            }
            Ok(named)
        }
    }
}

/// Who answers.
enum Estimator {
    Here(Box<Billing>),
    There(Box<BillingEstimatorServiceClient<Wire>>),
}

impl Estimator {
    async fn open(args: &AnswerArgs) -> Result<Self, Failure> {
        if let Some(endpoint) = &args.endpoint {
            return Ok(Self::There(Box::new(Client::connect_to(endpoint, &args.connection).await?.billing())));
        }
        let book = load_prices(args.prices.as_deref(), args.only_these_prices)?;
        Ok(Self::Here(Box::new(Billing::new(Arc::new(book), clock::system()))))
    }

    async fn answer(&mut self, question: &Question) -> Result<Answer, Failure> {
        let (estimate, stale_prices) = match (question, self) {
            (Question::Export(request), Self::Here(billing)) => {
                let answer = billing.estimate_export(request).map_err(Status::from)?;
                (answer.estimate, answer.stale_prices)
            }
            (Question::Export(request), Self::There(client)) => {
                let answer = client.estimate_export(request.clone()).await?.into_inner();
                (answer.estimate, answer.stale_prices)
            }
            (Question::Copy(request), Self::Here(billing)) => {
                let answer = billing.estimate_copy(request).map_err(Status::from)?;
                (answer.estimate, answer.stale_prices)
            }
            (Question::Copy(request), Self::There(client)) => {
                let answer = client.estimate_copy(request.clone()).await?.into_inner();
                (answer.estimate, answer.stale_prices)
            }
            (Question::Download(request), Self::Here(billing)) => {
                let answer = billing.estimate_download(request).map_err(Status::from)?;
                (answer.estimate, answer.stale_prices)
            }
            (Question::Download(request), Self::There(client)) => {
                let answer = client.estimate_download(request.clone()).await?.into_inner();
                (answer.estimate, answer.stale_prices)
            }
        };
        let estimate = estimate.ok_or_else(|| Failure::new(Exit::Failed, "the server answered without an estimate"))?;
        Ok(Answer { estimate, stale_prices })
    }

    /// Returns the regions that have a price for an item, in alphabetical order.
    async fn regions(&mut self, cloud: i32, site: i32, item: &str) -> Result<BTreeSet<String>, Failure> {
        let mut regions = BTreeSet::new();
        let mut request =
            pb::ListPricesRequest { page_size: PAGE, cloud, site, item: item.to_owned(), ..Default::default() };
        loop {
            let page = match self {
                Self::Here(billing) => billing.list_prices(&request).map_err(Status::from)?,
                Self::There(client) => client.list_prices(request.clone()).await?.into_inner(),
            };
            regions.extend(page.prices.into_iter().map(|price| price.region).filter(|region| region != "all"));
            if page.next_page_token.is_empty() {
                return Ok(regions);
            }
            request.page_token = page.next_page_token;
        }
    }
}
